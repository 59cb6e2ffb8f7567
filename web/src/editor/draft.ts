/** What the editor changes of a camera's file: its zones, lines and masks. */

import type { CameraRaw, LineRaw, MaskRaw, RuleRaw, XY, ZoneRaw } from "../api/types";

export interface Draft {
  zone: ZoneRaw[];
  line: LineRaw[];
  mask: MaskRaw[];
}
export type Sort = keyof Draft;
export interface Place {
  sort: Sort;
  index: number;
}
export type Shape = ZoneRaw | LineRaw | MaskRaw;

export function draftOf(camera: CameraRaw): Draft {
  return { zone: camera.zone ?? [], line: camera.line ?? [], mask: camera.mask ?? [] };
}

export function shapeAt(draft: Draft, place: Place): Shape | undefined {
  return draft[place.sort][place.index];
}

export function pointsOf(shape: Shape): XY[] {
  return "polygon" in shape ? shape.polygon : shape.points;
}

export function isClosed(sort: Sort): boolean {
  return sort !== "line";
}

/** Fewest points of a shape. */
export function fewest(sort: Sort): number {
  return isClosed(sort) ? 3 : 2;
}

function replaced<T>(list: readonly T[], index: number, next: T): T[] {
  return list.map((item, i) => (i === index ? next : item));
}

export function withShape(draft: Draft, place: Place, next: Shape): Draft {
  return { ...draft, [place.sort]: replaced<Shape>(draft[place.sort], place.index, next) };
}

export function withPoints(draft: Draft, place: Place, points: XY[]): Draft {
  const shape = shapeAt(draft, place);
  if (shape === undefined) return draft;
  return withShape(draft, place, "polygon" in shape ? { ...shape, polygon: points } : { ...shape, points });
}

export function withoutShape(draft: Draft, place: Place): Draft {
  return { ...draft, [place.sort]: draft[place.sort].filter((_: Shape, i: number) => i !== place.index) };
}

export function rulesOf(shape: Shape | undefined): RuleRaw[] {
  return shape !== undefined && "rule" in shape ? (shape.rule ?? []) : [];
}

export function withRules(draft: Draft, place: Place, rules: RuleRaw[]): Draft {
  const shape = shapeAt(draft, place);
  if (shape === undefined || place.sort === "mask") return draft;
  const next = { ...(shape as ZoneRaw | LineRaw), rule: rules };
  if (rules.length === 0) Reflect.deleteProperty(next, "rule");
  return withShape(draft, place, next);
}

/** All ids of one sort: of zones and lines together, or of rules. */
export function placeIds(draft: Draft): string[] {
  return [...draft.zone, ...draft.line].map((shape) => shape.id);
}
export function ruleIds(draft: Draft): string[] {
  return [...draft.zone, ...draft.line].flatMap((shape) => (shape.rule ?? []).map((rule) => rule.id));
}

/** `word`, or `word-2`, whichever is free. */
export function freeId(word: string, taken: readonly string[]): string {
  if (!taken.includes(word)) return word;
  let n = 2;
  while (taken.includes(`${word}-${n}`)) n += 1;
  return `${word}-${n}`;
}

/** How many shapes and rules differ; for people, not for the server. */
export function changes(before: Draft, after: Draft): number {
  if (before === after) return 0;
  let n = 0;
  for (const sort of ["zone", "line", "mask"] as const) {
    const key = (shape: Shape, i: number): string => ("id" in shape ? shape.id : String(i));
    const old = new Map<string, string>(before[sort].map((s: Shape, i: number) => [key(s, i), JSON.stringify(s)]));
    after[sort].forEach((shape: Shape, i: number) => {
      const id = key(shape, i);
      if (old.get(id) !== JSON.stringify(shape)) n += 1;
      old.delete(id);
    });
    n += old.size;
  }
  return n;
}
