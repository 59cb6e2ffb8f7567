/** Where things stand on a time axis. Times are milliseconds of the Unix epoch. */

import type { Incident, Period, Severity } from "../api/types";
import { SEVERITIES } from "../api/types";

export interface Range {
  from: number;
  until: number;
}

/** 0 at the beginning of the range, 1 at its end. */
export function position(at: number, range: Range): number {
  const length = range.until - range.from;
  return length <= 0 ? 0 : Math.min(1, Math.max(0, (at - range.from) / length));
}

export function rangeOf(period: Period): Range {
  return { from: Date.parse(period.from), until: Date.parse(period.until) };
}

/** The parts of a range that none of the periods covers, in order. */
export function gaps(range: Range, covered: readonly Range[]): Range[] {
  const sorted = [...covered].sort((a, b) => a.from - b.from);
  const out: Range[] = [];
  let at = range.from;
  for (const part of sorted) {
    if (part.from > at) out.push({ from: at, until: Math.min(part.from, range.until) });
    at = Math.max(at, part.until);
    if (at >= range.until) break;
  }
  if (at < range.until) out.push({ from: at, until: range.until });
  return out.filter((gap) => gap.until > gap.from);
}

const STEPS = [1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10080].map((minutes) => minutes * 60_000);

/** Times of marks on the axis, at most `most`, on whole steps of the local day. `offset` is the zone's, in milliseconds. */
export function ticks(range: Range, most: number, offset: number): { at: number[]; step: number } {
  const length = range.until - range.from;
  const step = STEPS.find((s) => length / s <= most) ?? STEPS[STEPS.length - 1] ?? length;
  const first = Math.ceil((range.from + offset) / step) * step - offset;
  const at: number[] = [];
  for (let t = first; t < range.until; t += step) at.push(t);
  return { at, step };
}

export interface Bin {
  from: number;
  until: number;
  count: number;
  /** The worst of them; null in an empty bin. */
  worst: Severity | null;
}

function worse(a: Severity | null, b: Severity): Severity {
  return a === null || SEVERITIES.indexOf(b) > SEVERITIES.indexOf(a) ? b : a;
}

/** Starts in bins of equal width. */
export function binned(incidents: readonly Incident[], range: Range, bins: number): Bin[] {
  const width = (range.until - range.from) / bins;
  const out: Bin[] = Array.from({ length: bins }, (_, i) => ({
    from: range.from + i * width,
    until: range.from + (i + 1) * width,
    count: 0,
    worst: null,
  }));
  for (const incident of incidents) {
    const at = Date.parse(incident.started_at);
    if (at < range.from || at >= range.until) continue;
    const bin = out[Math.min(bins - 1, Math.floor((at - range.from) / width))];
    if (bin === undefined) continue;
    bin.count += 1;
    bin.worst = worse(bin.worst, incident.severity);
  }
  return out;
}

/** How two runs differ: incidents of the same rule that start within `near` of each other are the same. */
export function compared(
  now: readonly Incident[],
  then: readonly Incident[],
  near = 2_000,
): { same: number; gone: Incident[]; added: Incident[] } {
  const left = [...now];
  const added: Incident[] = [];
  let same = 0;
  for (const incident of then) {
    const at = Date.parse(incident.started_at);
    const twin = left.findIndex((o) => o.rule === incident.rule && Math.abs(Date.parse(o.started_at) - at) <= near);
    if (twin < 0) added.push(incident);
    else {
      left.splice(twin, 1);
      same += 1;
    }
  }
  return { same, gone: left, added };
}
