import { describe, expect, it } from "vitest";

import { DURATION_UNITS, LENGTH_UNITS, SPEED_UNITS, durationOf, quantity, seconds, written } from "../src/rules/units";
import { daysOf, entriesOf } from "../src/rules/weekdays";

describe("durations", () => {
  it.each([
    ["10s", 10],
    ["500ms", 0.5],
    ["2m", 120],
    ["1h 30m", 5400],
    ["1h30m", 5400],
    ["90 secs", 90],
    ["0s", 0],
  ])("%s is %d s", (text, expected) => expect(seconds(text)).toBeCloseTo(expected));
  it.each(["10", "", "s", "10 parsecs", "ten s", "-5s"])("%s is none", (text) => expect(seconds(text)).toBeNull());
  it("keeps the unit that somebody wrote", () => {
    expect(quantity("120s", DURATION_UNITS)).toEqual({ value: 120, unit: "s" });
    expect(quantity("1h 30m", DURATION_UNITS)).toEqual({ value: 90, unit: "m" });
    expect(quantity("500ms", DURATION_UNITS)).toEqual({ value: 0.5, unit: "s" });
    expect(durationOf(0)).toEqual({ value: 0, unit: "s" });
  });
});

it("reads lengths and speeds with their unit only", () => {
  expect(quantity("1.2bh", LENGTH_UNITS)).toEqual({ value: 1.2, unit: "bh" });
  expect(quantity("2.5 m / s", SPEED_UNITS)).toEqual({ value: 2.5, unit: "m/s" });
  for (const wrong of ["2", "2km", "m", 2, undefined]) expect(quantity(wrong, LENGTH_UNITS)).toBeNull();
  expect(written({ value: 1.5, unit: "bh" })).toBe("1.5bh");
});

describe("weekdays", () => {
  it("are ranges, also over the end of the week", () => {
    expect(daysOf(["mon-fri"])).toEqual([true, true, true, true, true, false, false]);
    expect(daysOf(["sat-mon", "wed"])).toEqual([true, false, true, false, false, true, true]);
    expect(daysOf(undefined)).toEqual(Array(7).fill(true));
  });
  it("are written as short as can be and read back", () => {
    expect(entriesOf(daysOf(["mon-fri", "sun"]))).toEqual(["mon-fri", "sun"]);
    expect(entriesOf(Array<boolean>(7).fill(true))).toBeUndefined();
    for (let mask = 1; mask < 127; mask += 1) {
      const days = Array.from({ length: 7 }, (_, i) => (mask & (1 << i)) !== 0);
      expect(daysOf(entriesOf(days))).toEqual(days);
    }
  });
});
