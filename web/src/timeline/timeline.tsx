/** Two lanes of alerts over time: the rules in force, and the changed ones. */

import { useMemo, useRef } from "preact/hooks";

import type { Incident, WhatIf } from "../api/types";
import { useSize } from "../ui/use";
import { dayOf, lasting, measured, minuteOf, moment, offsetAt, t } from "../words";
import type { Range } from "./bins";
import { binned, gaps, position, rangeOf, ticks } from "./bins";

/** More marks than this are no longer told apart: bars take their place. */
const MOST_MARKS = 300;
const LANE = 30;
const LABELS = 84;
const TOP = 6;

export type Lane = "now" | "then";

interface Props {
  result: WhatIf;
  range: Range;
  chosen: Incident | null;
  choose: (incident: Incident, lane: Lane) => void;
  /** Starts that only one of the lanes has. */
  differs: ReadonlySet<Incident>;
}

export function Timeline({ result, range, chosen, choose, differs }: Props) {
  const w = t();
  const [measure, { width }] = useSize();
  const inner = Math.max(0, width - LABELS - 8);
  const x = (at: number): number => LABELS + position(at, range) * inner;
  const marks = useMemo(() => ticks(range, Math.max(2, Math.floor(inner / 80)), offsetAt(range.from)), [range, inner]);
  const height = TOP + 2 * LANE + 22;
  const uncovered = gaps(range, result.covered.map(rangeOf));
  const box = useRef<SVGSVGElement>(null);

  const step = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    const all = [...(box.current?.querySelectorAll<SVGElement>(".mark-of") ?? [])];
    const next = all[all.findIndex((mark) => mark === document.activeElement) + by];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  };

  const label = (at: number): string => (marks.step >= 86_400_000 ? dayOf(at) : minuteOf(at) === "00:00" ? dayOf(at) : minuteOf(at));
  return (
    <div class="timeline" ref={measure}>
      <svg ref={box} width={width} height={height} role="group" aria-label={w.whatif.timeline} onKeyDown={step}>
        {marks.at.map((at) => (
          <g key={at}>
            <line class="tick" x1={x(at)} y1={TOP} x2={x(at)} y2={TOP + 2 * LANE + 4} />
            <text class="tick-label" x={x(at)} y={height - 5} text-anchor="middle">
              {label(at)}
            </text>
          </g>
        ))}
        {uncovered.map((gap) => (
          <Span key={`u${gap.from}`} gap={gap} x={x} word={w.whatif.uncovered} kind="uncovered" />
        ))}
        {result.outages.map((period) => (
          <Span key={`o${period.from}`} gap={rangeOf(period)} x={x} word={w.whatif.outage} kind="outage" />
        ))}
        {(["now", "then"] as const).map((lane, i) => (
          <g key={lane} transform={`translate(0 ${TOP + i * LANE})`}>
            <text class="lane-label" x={4} y={LANE / 2 + 4}>
              {lane === "now" ? w.whatif.nowShort : w.whatif.thenShort}
            </text>
            <line class="lane" x1={LABELS} y1={LANE - 3} x2={LABELS + inner} y2={LANE - 3} />
            {result[lane].length > MOST_MARKS ? (
              <Bars incidents={result[lane]} range={range} inner={inner} />
            ) : (
              result[lane].map((incident, n) => (
                <Mark key={n} incident={incident} x={x} range={range} chosen={incident === chosen} differs={differs.has(incident)} choose={() => choose(incident, lane)} />
              ))
            )}
          </g>
        ))}
      </svg>
    </div>
  );
}

function Span({ gap, x, word, kind }: { gap: Range; x: (at: number) => number; word: string; kind: string }) {
  const from = x(gap.from);
  return (
    <rect class={`span ${kind}`} x={from} y={TOP} width={Math.max(1, x(gap.until) - from)} height={2 * LANE}>
      <title>{word}</title>
    </rect>
  );
}

interface MarkProps {
  incident: Incident;
  x: (at: number) => number;
  range: Range;
  chosen: boolean;
  differs: boolean;
  choose: () => void;
}

function Mark({ incident, x, range, chosen, differs, choose }: MarkProps) {
  const w = t();
  const start = Date.parse(incident.started_at);
  const end = incident.ended_at === null ? range.until : Date.parse(incident.ended_at);
  const from = x(start);
  const text = `${w.kind[incident.kind]} · ${incident.rule} · ${moment(start)} · ${lasting((end - start) / 1000)} · ${w.alerts.peak} ${measured(incident.peak, incident.unit)}`;
  return (
    <g
      class={`mark-of ${incident.severity} ${chosen ? "chosen" : ""} ${differs ? "differs" : ""}`}
      tabindex={0}
      role="button"
      aria-label={text}
      aria-pressed={chosen}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose();
      }}
    >
      <title>{text}</title>
      <rect class="reach" x={from - 3} y={0} width={Math.max(9, x(end) - from + 6)} height={LANE - 3} />
      <rect x={from} y={7} width={Math.max(3.5, x(end) - from)} height={LANE - 12} rx={1.5} />
    </g>
  );
}

function Bars({ incidents, range, inner }: { incidents: readonly Incident[]; range: Range; inner: number }) {
  const w = t();
  const bins = binned(incidents, range, Math.max(1, Math.floor(inner / 6)));
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const width = inner / bins.length;
  return (
    <>
      {bins.map((bin, i) =>
        bin.worst === null ? null : (
          <rect key={bin.from} class={`bin ${bin.worst}`} x={LABELS + i * width} width={Math.max(1, width - 1)} y={LANE - 3 - (bin.count / most) * (LANE - 8)} height={(bin.count / most) * (LANE - 8)}>
            <title>{w.whatif.starts(bin.count, moment(bin.from), moment(bin.until))}</title>
          </rect>
        ),
      )}
    </>
  );
}
