import { describe, expect, it } from "vitest";

import type { Incident, Severity } from "../src/api/types";
import { binned, compared, gaps, position, ticks } from "../src/timeline/bins";

const HOUR = 3_600_000;

function incident(rule: string, at: number, severity: Severity = "moderate"): Incident {
  const started_at = new Date(at).toISOString();
  return { rule, kind: "crowd", severity, zone: "z", line: null, started_at, ended_at: null, peak: 1, value: 1, unit: "people", people: 1, where: null, box: null, tracks: [] };
}

describe("bins", () => {
  it("count starts and keep the worst", () => {
    const bins = binned([incident("a", 10), incident("a", 20, "severe"), incident("a", 60), incident("a", 100)], { from: 0, until: 100 }, 2);
    expect(bins.map((b) => [b.count, b.worst])).toEqual([
      [2, "severe"],
      [1, "moderate"],
    ]);
  });
});

it("finds what is not covered", () => {
  const range = { from: 0, until: 100 };
  expect(gaps(range, [])).toEqual([range]);
  expect(gaps(range, [{ from: 50, until: 60 }, { from: -5, until: 20 }, { from: 10, until: 30 }])).toEqual([
    { from: 30, until: 50 },
    { from: 60, until: 100 },
  ]);
  expect(gaps(range, [{ from: 0, until: 100 }])).toEqual([]);
  expect(position(150, range)).toBe(1);
});

describe("ticks", () => {
  it("stand on whole hours of the site, also where the zone is off by half an hour", () => {
    const offset = 5.5 * HOUR;
    const from = Date.UTC(2026, 10, 25, 3, 10);
    const { at, step } = ticks({ from, until: from + 24 * HOUR }, 12, offset);
    expect(step).toBe(3 * HOUR);
    expect(at.length).toBeLessThanOrEqual(12);
    for (const t of at) expect((t + offset) % step).toBe(0);
  });
});

it("tells what two runs have in common", () => {
  const now = [incident("a", 0), incident("a", 10_000), incident("b", 0)];
  const then = [incident("a", 1_500), incident("c", 0)];
  const { same, gone, added } = compared(now, then);
  expect(same).toBe(1);
  expect(gone.map((i) => i.rule)).toEqual(["a", "b"]);
  expect(added.map((i) => i.rule)).toEqual(["c"]);
});
