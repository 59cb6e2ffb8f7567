/** Quantities with their unit, as the files have them: "10s", "1h 30m", "2m", "1.2bh", "2.5m/s". */

export interface Quantity {
  value: number;
  unit: string;
}

export const DURATION_UNITS = ["s", "m", "h"] as const;
export const LENGTH_UNITS = ["m", "bh"] as const;
export const SPEED_UNITS = ["m/s", "bh/s"] as const;

const SECONDS: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400 };
const ALIASES: Record<string, string> = {
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  hr: "h",
  hrs: "h",
  hour: "h",
  hours: "h",
  day: "d",
  days: "d",
  milliseconds: "ms",
  millis: "ms",
};

/** Seconds of a duration; null where it is none. */
export function seconds(text: unknown): number | null {
  if (typeof text !== "string") return null;
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)\s*([a-zµ]+)[,\s]*/gy)];
  const length = parts.reduce((sum, part) => sum + part[0].length, 0);
  if (parts.length === 0 || length !== text.trimStart().length || text !== text.trimStart()) return null;
  let sum = 0;
  for (const [, number, word = ""] of parts) {
    const factor = SECONDS[ALIASES[word] ?? word];
    if (factor === undefined) return null;
    sum += Number(number) * factor;
  }
  return sum;
}

/** A duration in the largest unit that it is a whole number of. */
export function durationOf(total: number): Quantity {
  if (total > 0 && total % 3600 === 0) return { value: total / 3600, unit: "h" };
  if (total > 0 && total % 60 === 0) return { value: total / 60, unit: "m" };
  return { value: Number(total.toFixed(3)), unit: "s" };
}

/** Number and unit of a quantity; null where it is none of these units. */
export function quantity(text: unknown, units: readonly string[]): Quantity | null {
  if (units === DURATION_UNITS) {
    const total = seconds(text);
    if (total === null) return null;
    // What somebody wrote in seconds stays in seconds.
    const plain = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([smh])\s*$/.exec(String(text));
    return plain === null ? durationOf(total) : { value: Number(plain[1]), unit: plain[2] ?? "s" };
  }
  if (typeof text !== "string") return null;
  const found = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z/ ]+?)\s*$/.exec(text);
  const unit = found?.[2]?.replaceAll(" ", "");
  return found === null || unit === undefined || !units.includes(unit) ? null : { value: Number(found[1]), unit };
}

export function written({ value, unit }: Quantity): string {
  return `${value}${unit}`;
}
