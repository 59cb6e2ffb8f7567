import { describe, expect, it } from "vitest";

import type { XY } from "../src/api/types";
import { across, area, contains, crossesItself, distanceToSegment, labelPoint, segmentsMeet, shifted, side, tidy, withInserted, without } from "../src/editor/geometry";

const SQUARE: XY[] = [
  [0.2, 0.2],
  [0.8, 0.2],
  [0.8, 0.8],
  [0.2, 0.8],
];

describe("a polygon that crosses itself", () => {
  it("is none of the usual shapes", () => {
    expect(crossesItself(SQUARE)).toBe(false);
    expect(crossesItself([...SQUARE].reverse())).toBe(false);
    const star: XY[] = [
      [0, 0],
      [1, 0],
      [0.5, 0.3],
      [1, 1],
    ];
    expect(crossesItself(star)).toBe(false);
  });
  it("is a bow tie, a spike, a corner twice, and one that touches itself", () => {
    const [a, b, c, d] = SQUARE as [XY, XY, XY, XY];
    expect(crossesItself([a, c, b, d])).toBe(true);
    expect(crossesItself([a, b, [0.5, 0.2], d])).toBe(true);
    expect(crossesItself([a, b, b, c, d])).toBe(true);
    expect(crossesItself([a, b, c, d, [0.5, 0.2]])).toBe(true);
  });
  it("is found wherever its first corner is", () => {
    const bow: XY[] = [
      [0, 0],
      [1, 1],
      [1, 0],
      [0, 1],
    ];
    for (let turn = 0; turn < 4; turn += 1) expect(crossesItself([...bow.slice(turn), ...bow.slice(0, turn)])).toBe(true);
  });
});

it("knows left and right as the server does", () => {
  // Walking to the right, y down: what is above is on the left.
  expect(side([0, 0.5], [1, 0.5], [0.5, 0.2])).toBeLessThan(0);
  expect(side([0, 0.5], [1, 0.5], [0.5, 0.8])).toBeGreaterThan(0);
  const arrow = across(
    [
      [0.2, 0.5],
      [0.8, 0.5],
    ],
    1.5,
  );
  expect(arrow?.at).toEqual([0.5, 0.5]);
  const right = arrow?.right ?? [0, 0];
  expect(side([0.2, 0.5], [0.8, 0.5], [0.5 + right[0] * 0.1, 0.5 + right[1] * 0.1])).toBeGreaterThan(0);
});

it("measures distances in picture heights", () => {
  expect(distanceToSegment([0.5, 0.7], [0.2, 0.5], [0.8, 0.5], 2)).toBeCloseTo(0.2);
  expect(distanceToSegment([0.9, 0.5], [0.2, 0.5], [0.8, 0.5], 2)).toBeCloseTo(0.2);
});

it("moves shapes as far as the picture goes, all points alike", () => {
  expect(shifted(SQUARE, 0.5, 0)).toEqual([
    [0.4, 0.2],
    [1, 0.2],
    [1, 0.8],
    [0.4, 0.8],
  ]);
  expect(tidy([1.2, -0.1])).toEqual([1, 0]);
  expect(tidy([1 / 3, 0.5])).toEqual([0.3333, 0.5]);
});

it("puts labels inside", () => {
  expect(contains(SQUARE, labelPoint(SQUARE))).toBe(true);
  expect(area(SQUARE)).toBeCloseTo(0.36);
  expect(segmentsMeet([0, 0], [1, 1], [0, 1], [1, 0])).toBe(true);
  expect(segmentsMeet([0, 0], [0.4, 0.4], [0, 1], [1, 0])).toBe(false);
});

it("inserts and removes points where they belong", () => {
  expect(withInserted(SQUARE, 3, [0.1, 0.5])[4]).toEqual([0.1, 0.5]);
  expect(without(SQUARE, 0)).toEqual(SQUARE.slice(1));
});
