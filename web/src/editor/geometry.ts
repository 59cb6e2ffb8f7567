/** Plane geometry of shapes on the picture. Points are fractions of width and height, y down; distances that a person
 *  sees need the picture's aspect (width over height). */

import type { XY } from "../api/types";

const DIGITS = 4;

export function clamp(value: number, least = 0, most = 1): number {
  return Math.min(most, Math.max(least, value));
}

/** Within the picture, to the fourth decimal: finer than any pixel. */
export function tidy([x, y]: XY): XY {
  const round = (v: number): number => Number(clamp(v).toFixed(DIGITS));
  return [round(x), round(y)];
}

/** Twice the signed area of the triangle; negative where `p` is on the left of someone who walks from `a` to `b`. */
export function side(a: XY, b: XY, p: XY): number {
  return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
}

function within(a: XY, b: XY, p: XY): boolean {
  const between = (u: number, v: number, w: number): boolean => Math.min(u, v) <= w && w <= Math.max(u, v);
  return between(a[0], b[0], p[0]) && between(a[1], b[1], p[1]);
}

/** Whether two segments have a point in common. */
export function segmentsMeet(a: XY, b: XY, c: XY, d: XY): boolean {
  const s1 = Math.sign(side(a, b, c));
  const s2 = Math.sign(side(a, b, d));
  const s3 = Math.sign(side(c, d, a));
  const s4 = Math.sign(side(c, d, b));
  if (s1 !== s2 && s3 !== s4) return true;
  return (
    (s1 === 0 && within(a, b, c)) ||
    (s2 === 0 && within(a, b, d)) ||
    (s3 === 0 && within(c, d, a)) ||
    (s4 === 0 && within(c, d, b))
  );
}

/** Pairs of a polygon, the last one closing it. */
export function edges(points: readonly XY[], closed: boolean): [XY, XY][] {
  const out: [XY, XY][] = [];
  points.forEach((point, i) => {
    const next = points[i + 1] ?? (closed ? points[0] : undefined);
    if (next !== undefined && points.length > 1) out.push([point, next]);
  });
  return out;
}

/** Whether two edges meet elsewhere than in the corner that they share, or a corner is there twice. */
export function crossesItself(polygon: readonly XY[]): boolean {
  const all = edges(polygon, true);
  const n = all.length;
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      const [a, b] = all[i] as [XY, XY];
      const [c, d] = all[j] as [XY, XY];
      const follows = j === i + 1;
      const closes = i === 0 && j === n - 1;
      if (!follows && !closes) {
        if (segmentsMeet(a, b, c, d)) return true;
        continue;
      }
      // Neighbours share a corner; they must not lie on each other.
      const [corner, from, to] = follows ? [b, a, d] : [a, b, c];
      const back = (from[0] - corner[0]) * (to[0] - corner[0]) + (from[1] - corner[1]) * (to[1] - corner[1]) > 0;
      if (side(from, corner, to) === 0 && back) return true;
      if (from[0] === corner[0] && from[1] === corner[1]) return true;
    }
  }
  return false;
}

/** Area as a fraction of the picture. */
export function area(polygon: readonly XY[]): number {
  return Math.abs(edges(polygon, true).reduce((sum, [a, b]) => sum + a[0] * b[1] - b[0] * a[1], 0)) / 2;
}

export function contains(polygon: readonly XY[], [x, y]: XY): boolean {
  let inside = false;
  for (const [a, b] of edges(polygon, true)) {
    if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
  }
  return inside;
}

export function middle(a: XY, b: XY): XY {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** Distance in picture heights. */
export function distance(a: XY, b: XY, aspect: number): number {
  return Math.hypot((a[0] - b[0]) * aspect, a[1] - b[1]);
}

/** Distance of a point from a segment in picture heights. */
export function distanceToSegment(p: XY, a: XY, b: XY, aspect: number): number {
  const [dx, dy] = [(b[0] - a[0]) * aspect, b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : clamp(((p[0] - a[0]) * aspect * dx + (p[1] - a[1]) * dy) / length);
  return distance(p, [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])], aspect);
}

/** Where a label stands best: the mean of the corners, or the middle of the longest edge where that lies outside. */
export function labelPoint(polygon: readonly XY[]): XY {
  const n = Math.max(1, polygon.length);
  const mean: XY = [polygon.reduce((s, p) => s + p[0], 0) / n, polygon.reduce((s, p) => s + p[1], 0) / n];
  if (contains(polygon, mean)) return mean;
  const longest = edges(polygon, true).sort(([a, b], [c, d]) => distance(c, d, 1) - distance(a, b, 1))[0];
  return longest === undefined ? mean : middle(...longest);
}

/** All points moved alike, as far as the picture goes. */
export function shifted(points: readonly XY[], dx: number, dy: number): XY[] {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const x = clamp(dx, -Math.min(...xs), 1 - Math.max(...xs));
  const y = clamp(dy, -Math.min(...ys), 1 - Math.max(...ys));
  return points.map((p) => tidy([p[0] + x, p[1] + y]));
}

/** A point at a place of a list moved; the others as they are. */
export function withPoint(points: readonly XY[], index: number, to: XY): XY[] {
  return points.map((p, i) => (i === index ? tidy(to) : p));
}

export function withInserted(points: readonly XY[], after: number, point: XY): XY[] {
  return [...points.slice(0, after + 1), tidy(point), ...points.slice(after + 1)];
}

export function without(points: readonly XY[], index: number): XY[] {
  return points.filter((_, i) => i !== index);
}

/** For the arrow of a line: its middle, and the unit vector towards its right side, in picture heights. */
export function across(points: readonly XY[], aspect: number): { at: XY; right: XY } | null {
  const all = edges(points, false);
  const total = all.reduce((sum, [a, b]) => sum + distance(a, b, aspect), 0);
  let rest = total / 2;
  for (const [a, b] of all) {
    const length = distance(a, b, aspect);
    if (length > 0 && rest <= length) {
      const t = rest / length;
      const [dx, dy] = [((b[0] - a[0]) * aspect) / length, (b[1] - a[1]) / length];
      // y points down: the right hand of someone who walks along (dx, dy) is at (-dy, dx).
      return { at: [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])], right: [-dy, dx] };
    }
    rest -= length;
  }
  return null;
}
