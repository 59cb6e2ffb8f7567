/** Days of the week as schedules have them: `["mon-fri", "sun"]`. */

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Monday first; all of them where nothing is said. A range may go over the end of the week. */
export function daysOf(entries: unknown): boolean[] {
  if (!Array.isArray(entries)) return WEEKDAYS.map(() => true);
  const days = WEEKDAYS.map(() => false);
  for (const entry of entries) {
    const [first = "", last = first] = String(entry).toLowerCase().split("-");
    const from = WEEKDAYS.findIndex((day) => first.startsWith(day));
    const to = WEEKDAYS.findIndex((day) => last.startsWith(day));
    if (from < 0 || to < 0) continue;
    for (let i = from; ; i = (i + 1) % 7) {
      days[i] = true;
      if (i === to) break;
    }
  }
  return days;
}

/** The shortest way to write them; undefined for all days. */
export function entriesOf(days: readonly boolean[]): string[] | undefined {
  if (days.every(Boolean)) return undefined;
  return runs(days).map(([from, to]) => {
    const [a, b] = [WEEKDAYS[from] ?? "mon", WEEKDAYS[to] ?? "mon"];
    return from === to ? a : `${a}-${b}`;
  });
}

/** First and last of each run of days. */
export function runs(days: readonly boolean[]): [number, number][] {
  const out: [number, number][] = [];
  days.forEach((on, i) => {
    if (!on) return;
    const last = out[out.length - 1];
    if (last !== undefined && last[1] === i - 1) last[1] = i;
    else out.push([i, i]);
  });
  return out;
}
