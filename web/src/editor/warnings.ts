/** What may be wrong with shapes and rules, found while they are edited. `error` is what the server would refuse. */

import type { RuleRaw, XY } from "../api/types";
import { SEVERITIES } from "../api/types";
import type { RuleKind } from "../rules/facts";
import { fieldsOf, unitsOf } from "../rules/schema";
import type { Field } from "../rules/schema";
import { quantity, seconds } from "../rules/units";
import type { Words } from "../words/en";
import type { Draft, Sort } from "./draft";
import { fewest, isClosed, placeIds, pointsOf, ruleIds } from "./draft";
import { area, contains, crossesItself, edges } from "./geometry";

export interface Remark {
  sort: Sort;
  index: number;
  /** Index of the rule; null for the shape itself. */
  rule: number | null;
  /** Field that it is about; null for all of it. */
  field: string | null;
  level: "error" | "warning";
  word: keyof Words["warn"];
}

/** So near to an edge of the picture people are cut off. */
export const EDGE = 0.02;
const SMALL = 0.002;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Above this height of the picture nobody can stand, at this place; null where nothing is known. */
export type Horizon = (x: number) => number | null;

/** From what the server says of the ground: a height, or a line from edge to edge. */
export function horizonOf(horizon: number | null | XY[] | undefined): Horizon {
  if (typeof horizon === "number") return () => horizon;
  if (!Array.isArray(horizon) || horizon.length < 2) return () => null;
  const [a, b] = [horizon[0] as XY, horizon[horizon.length - 1] as XY];
  return (x) => (a[0] === b[0] ? null : a[1] + ((x - a[0]) / (b[0] - a[0])) * (b[1] - a[1]));
}

export interface Around {
  schema: unknown;
  horizon: Horizon;
  ground: boolean;
}

export function remarks(draft: Draft, around: Around): Remark[] {
  const out: Remark[] = [];
  for (const sort of ["zone", "line", "mask"] as const) {
    draft[sort].forEach((shape, index) => {
      const say = (level: Remark["level"], word: Remark["word"], field: string | null = null): void => {
        out.push({ sort, index, rule: null, field, level, word });
      };
      const points = pointsOf(shape);
      if (points.length < fewest(sort)) say("error", "fewPoints");
      else if (isClosed(sort) && crossesItself(points)) say("error", "crosses");
      else if (isClosed(sort) && area(points) < SMALL) say("warning", "small");
      if (sort === "line" && nearEdge(points)) say("warning", "lineEdge");
      const above = points.some(([x, y]) => y < (around.horizon(x) ?? Number.NEGATIVE_INFINITY) - 1e-6);
      if (above && sort !== "mask") say("warning", sort === "zone" ? "zoneHorizon" : "lineHorizon");
      if (sort === "zone" && draft.mask.some((mask) => covers(mask.polygon, points))) say("warning", "maskAll");
      if ("id" in shape) {
        if (!ID.test(shape.id)) say("error", shape.id === "" ? "missing" : "idBad", "id");
        else if (placeIds(draft).filter((id) => id === shape.id).length > 1) say("error", "idTaken", "id");
        (shape.rule ?? []).forEach((rule, r) => {
          ruleRemarks(rule, ruleIds(draft), around).forEach((remark) => out.push({ ...remark, sort, index, rule: r }));
        });
      }
    });
  }
  return out;
}

/** A line that touches the lower edge, where feet leave the picture, or runs along any edge. */
function nearEdge(line: readonly XY[]): boolean {
  const sides: ((p: XY) => boolean)[] = [([x]) => x < EDGE, ([x]) => x > 1 - EDGE, ([, y]) => y < EDGE];
  const along = edges(line, false).some(([a, b]) => sides.some((at) => at(a) && at(b)));
  return along || line.some(([, y]) => y > 1 - EDGE);
}

function covers(mask: readonly XY[], points: readonly XY[]): boolean {
  const inside = points.filter((point) => contains(mask, point)).length;
  return points.length > 0 && inside * 2 > points.length;
}

type RuleRemark = Pick<Remark, "field" | "level" | "word">;

function ruleRemarks(rule: RuleRaw, ids: readonly string[], around: Around): RuleRemark[] {
  const out: RuleRemark[] = [];
  const say = (level: Remark["level"], word: Remark["word"], field: string | null): void => {
    out.push({ field, level, word });
  };
  if (!ID.test(rule.id)) say("error", rule.id === "" ? "missing" : "idBad", "id");
  else if (ids.filter((id) => id === rule.id).length > 1) say("error", "idTaken", "id");
  const fields = fieldsOf(around.schema, rule.kind as RuleKind);
  for (const field of fields) {
    const word = wrong(field, rule);
    if (word !== null) say("error", word, field.name);
  }
  const value = (name: string): unknown => rule[name] ?? fields.find((f) => f.name === name)?.fallback;
  const span = (name: string): number | null => seconds(value(name));
  const [hold, gap, dwell] = [span("hold"), span("gap"), span("dwell")];
  if (hold !== null && gap !== null && hold > 0 && hold < gap) say("warning", "holdGap", "hold");
  if (dwell !== null && gap !== null && dwell < gap) say("warning", "gapDwell", "gap");
  if (rule.kind === "density" && !around.ground) say("error", "densityGround", null);
  const threshold = thresholdOf(rule, value);
  const release = rule["release"];
  if (typeof release === "number" && threshold !== null && release > threshold) say("error", "releaseAbove", "release");
  if (!stepsFollow(rule, threshold, value("severity"))) say("error", "escalateOrder", "escalate");
  return out;
}

/** The value that starts an alert, in the unit of `escalate`; null where it is not known. */
function thresholdOf(rule: RuleRaw, value: (name: string) => unknown): number | null {
  const name = { density: "density", counter_flow: "share" }[rule.kind as string] ?? "people";
  if (rule.kind === "loitering") return seconds(value("dwell"));
  if (rule.kind === "vanished") return seconds(value("after"));
  if (rule.kind === "intrusion" || rule.kind === "crossing") return 1;
  if (["rush", "wrong_way", "proximity"].includes(rule.kind)) return null;
  const found = value(name);
  return typeof found === "number" ? found : null;
}

function stepsFollow(rule: RuleRaw, threshold: number | null, severity: unknown): boolean {
  const steps = rule["escalate"];
  if (!Array.isArray(steps)) return true;
  const falling = rule.kind === "proximity";
  let [last, level] = [threshold, SEVERITIES.findIndex((s) => s === severity)];
  for (const step of steps as Record<string, unknown>[]) {
    const at = step["value"];
    const next = SEVERITIES.findIndex((s) => s === step["severity"]);
    if (typeof at !== "number" || !Number.isFinite(at) || next <= level) return false;
    if (last !== null && (falling ? at > last : at < last)) return false;
    [last, level] = [at, next];
  }
  return true;
}

/** What is wrong with one value; null where nothing is. */
function wrong(field: Field, rule: RuleRaw): keyof Words["warn"] | null {
  const value = rule[field.name];
  if (value === undefined) {
    const linger = field.name === "radius" && rule["mode"] === "linger";
    return field.required || linger ? "missing" : null;
  }
  const units = unitsOf(field.type);
  if (units !== undefined) return quantity(value, units) === null ? "badQuantity" : null;
  if (field.type === "integer") return Number.isInteger(value) && (value as number) > 0 ? null : "badNumber";
  if (field.type === "number") return typeof value === "number" && Number.isFinite(value) ? fraction(field, value) : "badNumber";
  return null;
}

function fraction(field: Field, value: number): keyof Words["warn"] | null {
  const bounded = ["share", "min_height", "max_height", "min_score"].includes(field.name);
  return value < 0 || (bounded && value > 1) ? "range" : null;
}
