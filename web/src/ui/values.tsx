/** What a rule measured over time, against its threshold: of an alert's events, which are all that is kept. */

import { useMemo } from "preact/hooks";
import type uPlot from "uplot";

import type { AlertEvent } from "../api/types";
import { clock, measured, t, zone } from "../words";
import { Plot, axis, colour } from "./plot";

/** Times in seconds, values, and the threshold at each. Events that only say that a file is ready measure nothing. */
export function valuesOf(events: readonly AlertEvent[]): [number[], number[], number[]] {
  const told = events.filter((event) => ["started", "updated", "ended"].includes(event.state));
  const seconds = told.map((event) => Date.parse(event.condition_until ?? event.at) / 1000);
  return [seconds, told.map((event) => event.value), told.map((event) => event.threshold)];
}

export function ValueChart({ events }: { events: AlertEvent[] }) {
  const w = t();
  const data = useMemo(() => valuesOf(events), [events]);
  const first = events[0];
  if (first === undefined || data[0].length < 2) return null;
  const unit = first.unit;
  const options = (): Omit<uPlot.Options, "width" | "height"> => ({
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    ...(zone.value === undefined ? {} : { tzDate: (ts: number) => new Date(new Date(ts * 1000).toLocaleString("en-US", { timeZone: zone.value })) }),
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(high, first.threshold) * 1.15 || 1] } },
    series: [
      {},
      { label: w.alerts.value, stroke: colour("accent"), width: 2, fill: colour("accent-weak"), points: { show: true, size: 6, fill: colour("panel") } },
      { label: w.alerts.threshold, stroke: colour("severe"), width: 1.5, dash: [5, 4], points: { show: false } },
    ],
    axes: [axis({ values: (_, at) => at.map((s) => clock(s * 1000)), space: 80, size: 28 }), axis({ values: (_, at) => at.map((v) => measured(v, unit)), size: 84 })],
  });
  return (
    <figure class="chart">
      <figcaption>
        {w.alerts.chart}
        <span class="key value">{w.alerts.value}</span>
        <span class="key threshold">{`${w.alerts.threshold} ${measured(first.threshold, unit)}`}</span>
      </figcaption>
      <Plot data={data} height={150} options={options} label={w.alerts.chart} />
    </figure>
  );
}
