/** A uPlot chart in the page's colours. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

import { theme } from "../look";
import { language } from "../words";
import { useSize } from "./use";

/** A colour of the style sheet. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

interface Props {
  /** Made anew where data, colours or language change. */
  options: () => Omit<uPlot.Options, "width" | "height">;
  data: uPlot.AlignedData;
  height: number;
  label: string;
}

export function axis(extra: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    stroke: colour("soft"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    ...extra,
  };
}

export function Plot({ options, data, height, label }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [measure, { width }] = useSize();
  const look = `${theme.value} ${language.value}`;
  useEffect(() => {
    const element = box.current;
    if (element === null || width < 50) return;
    const plot = new uPlot({ ...options(), width: Math.floor(width), height }, data, element);
    return () => plot.destroy();
  }, [data, width, height, look]);
  return (
    <div class="plot" ref={measure} role="img" aria-label={label}>
      <div ref={box} />
    </div>
  );
}
