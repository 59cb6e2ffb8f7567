/** The editor of one camera: what is there, what was changed, what is selected, what is being drawn. */

import { computed, signal } from "@preact/signals";

import type { CameraConfig, Incident, LineRaw, MaskRaw, RuleRaw, Trails, XY, ZoneRaw } from "../api/types";
import type { Draft, Place, Sort } from "./draft";
import { changes, draftOf, fewest, freeId, isClosed, placeIds, pointsOf, rulesOf, shapeAt, withPoints, withRules, withShape, withoutShape } from "./draft";
import { shifted, tidy, withInserted, withPoint, without } from "./geometry";
import type { History } from "./history";
import { begin, commit, redo, settle, undo } from "./history";

export type Tool =
  | { kind: "select" }
  | { kind: "draw"; sort: Sort; points: XY[] }
  /** The allowed way of a rule. */
  | { kind: "way"; place: Place; rule: number; points: XY[] };

export interface Selection {
  place: Place;
  /** Index of the selected point. */
  point: number | null;
}

/** Names of what is new, in the page's language. */
export interface NewNames {
  zone: (n: number) => string;
  line: (n: number) => string;
}

const SELECT: Tool = { kind: "select" };

export class Editor {
  readonly base;
  readonly steps;
  readonly selection = signal<Selection | null>(null);
  readonly tool = signal<Tool>(SELECT);
  /** Where a drawing goes on: the pointer, or the cross that the keyboard moves. */
  readonly cross = signal<XY | null>(null);
  /** An alert of the what-if that is shown on the picture, with its tracks. */
  readonly shown = signal<{ incident: Incident; trails: Trails } | null>(null);
  readonly draft;
  readonly before;
  readonly unsaved;

  constructor(config: CameraConfig) {
    this.base = signal(config);
    this.steps = signal<History<Draft>>(begin(draftOf(config.camera)));
    this.draft = computed(() => this.steps.value.present);
    this.before = computed(() => draftOf(this.base.value.camera));
    this.unsaved = computed(() => changes(this.before.value, this.draft.value));
  }

  /** Another file on the server: what was saved, or what somebody else saved. */
  rebase(config: CameraConfig, keep: boolean): void {
    this.base.value = config;
    if (keep) return;
    this.steps.value = begin(draftOf(config.camera));
    this.dropIfGone();
  }

  change(next: Draft, about: string | null = null): void {
    this.steps.value = commit(this.steps.value, next, about);
  }
  settle(): void {
    this.steps.value = settle(this.steps.value);
  }
  undo(): void {
    this.steps.value = undo(this.steps.value);
    this.dropIfGone();
  }
  redo(): void {
    this.steps.value = redo(this.steps.value);
    this.dropIfGone();
  }
  discard(): void {
    this.change(this.before.value);
    this.dropIfGone();
  }

  private dropIfGone(): void {
    const at = this.selection.value;
    if (at === null) return;
    const shape = shapeAt(this.draft.value, at.place);
    if (shape === undefined) this.selection.value = null;
    else if (at.point !== null && at.point >= pointsOf(shape).length) this.select(at.place);
  }

  select(place: Place | null, point: number | null = null): void {
    this.selection.value = place === null ? null : { place, point };
  }

  /** Points of a shape, or of the selected one. */
  pointsAt(place: Place): XY[] {
    const shape = shapeAt(this.draft.value, place);
    return shape === undefined ? [] : pointsOf(shape);
  }

  movePoint(place: Place, index: number, to: XY, about: string): void {
    this.change(withPoints(this.draft.value, place, withPoint(this.pointsAt(place), index, to)), about);
  }
  moveShape(place: Place, from: readonly XY[], dx: number, dy: number, about: string): void {
    this.change(withPoints(this.draft.value, place, shifted(from, dx, dy)), about);
  }
  insertPoint(place: Place, after: number, point: XY): void {
    this.change(withPoints(this.draft.value, place, withInserted(this.pointsAt(place), after, point)));
    this.select(place, after + 1);
  }
  /** Takes a point away, unless too few would be left. */
  removePoint(place: Place, index: number): void {
    const points = this.pointsAt(place);
    if (points.length <= fewest(place.sort)) return;
    this.change(withPoints(this.draft.value, place, without(points, index)));
    this.select(place, Math.min(index, points.length - 2));
  }
  removeShape(place: Place): void {
    this.change(withoutShape(this.draft.value, place));
    this.select(null);
  }
  flip(place: Place): void {
    const shape = shapeAt(this.draft.value, place);
    if (shape === undefined || !("points" in shape)) return;
    const { left, right, ...rest } = shape;
    // The names stay where they stand on the picture.
    const names = { ...(right === undefined ? {} : { left: right }), ...(left === undefined ? {} : { right: left }) };
    this.change(withShape(this.draft.value, place, { ...rest, ...names, points: [...shape.points].reverse() }));
  }
  edit(place: Place, values: Partial<ZoneRaw & LineRaw & MaskRaw>, about: string | null): void {
    const shape = shapeAt(this.draft.value, place);
    if (shape === undefined) return;
    const next: Record<string, unknown> = { ...shape, ...values };
    for (const [key, value] of Object.entries(next)) if (value === undefined || value === "") Reflect.deleteProperty(next, key);
    // An id that is being typed may be empty for a while.
    if ("id" in shape && next["id"] === undefined) next["id"] = "";
    this.change(withShape(this.draft.value, place, next as unknown as ZoneRaw), about);
  }
  setRules(place: Place, rules: RuleRaw[], about: string | null = null): void {
    this.change(withRules(this.draft.value, place, rules), about);
  }
  setRule(place: Place, index: number, rule: RuleRaw, about: string | null = null): void {
    const rules = rulesOf(shapeAt(this.draft.value, place));
    this.setRules(
      place,
      rules.map((old, i) => (i === index ? rule : old)),
      about,
    );
  }

  draw(sort: Sort): void {
    this.selection.value = null;
    this.tool.value = { kind: "draw", sort, points: [] };
  }
  drawWay(place: Place, rule: number): void {
    this.tool.value = { kind: "way", place, rule, points: [] };
  }
  cancelDrawing(): void {
    this.tool.value = SELECT;
    this.cross.value = null;
  }
  addDrawn(point: XY): void {
    const tool = this.tool.value;
    if (tool.kind === "select") return;
    const last = tool.points[tool.points.length - 1];
    const next = tidy(point);
    if (last !== undefined && last[0] === next[0] && last[1] === next[1]) return;
    this.tool.value = { ...tool, points: [...tool.points, next] };
  }
  dropDrawn(): void {
    const tool = this.tool.value;
    if (tool.kind !== "select") this.tool.value = { ...tool, points: tool.points.slice(0, -1) };
  }
  /** Makes a shape of what was drawn; nothing while there are too few points. */
  finishDrawing(names: NewNames): boolean {
    const tool = this.tool.value;
    if (tool.kind === "select") return false;
    if (tool.points.length < (tool.kind === "draw" && isClosed(tool.sort) ? 3 : 2)) return false;
    if (tool.kind === "way") {
      const rule = rulesOf(shapeAt(this.draft.value, tool.place))[tool.rule];
      if (rule !== undefined) this.setRule(tool.place, tool.rule, { ...rule, along: tool.points });
    } else this.addShape(tool.sort, tool.points, names);
    this.cancelDrawing();
    return true;
  }

  private addShape(sort: Sort, points: XY[], names: NewNames): void {
    const draft = this.draft.value;
    const index = draft[sort].length;
    if (sort === "mask") this.change({ ...draft, mask: [...draft.mask, { kind: "ignore", polygon: points }] });
    else {
      const id = freeId(`${sort}-${index + 1}`, placeIds(draft));
      const named = { id, name: names[sort](index + 1) };
      if (sort === "zone") this.change({ ...draft, zone: [...draft.zone, { ...named, polygon: points }] });
      else this.change({ ...draft, line: [...draft.line, { ...named, points }] });
    }
    this.select({ sort, index });
  }
}
