import { describe, expect, it } from "vitest";

import type { CameraConfig, RuleRaw, XY } from "../src/api/types";
import { changes, freeId } from "../src/editor/draft";
import type { Draft } from "../src/editor/draft";
import { diff } from "../src/editor/diff";
import { Editor } from "../src/editor/state";
import { pieces } from "../src/editor/tracks";
import { horizonOf, remarks } from "../src/editor/warnings";
import { fieldsOf, kindsOf } from "../src/rules/schema";
import { SCHEMA } from "./schema";

const SQUARE: XY[] = [
  [0.2, 0.5],
  [0.8, 0.5],
  [0.8, 0.9],
  [0.2, 0.9],
];
const NAMES = { zone: (n: number) => `Zone ${n}`, line: (n: number) => `Line ${n}` };

function config(camera: Partial<CameraConfig["camera"]> = {}): CameraConfig {
  return { id: "c", file: "c.toml", toml: "", etag: "1", camera: { id: "c", zone: [{ id: "a", polygon: SQUARE }], ...camera }, warnings: [] };
}

describe("the editor", () => {
  it("draws a zone, gives it a free id, and undoes it", () => {
    const editor = new Editor(config());
    editor.draw("zone");
    for (const point of SQUARE) editor.addDrawn(point);
    editor.addDrawn(SQUARE[3] as XY);
    expect(editor.finishDrawing(NAMES)).toBe(true);
    expect(editor.draft.value.zone[1]).toEqual({ id: "zone-2", name: "Zone 2", polygon: SQUARE });
    expect(editor.unsaved.value).toBe(1);
    editor.undo();
    expect(editor.unsaved.value).toBe(0);
    expect(editor.selection.value).toBeNull();
  });
  it("makes no shape of too few points", () => {
    const editor = new Editor(config());
    editor.draw("zone");
    editor.addDrawn([0.1, 0.1]);
    editor.addDrawn([0.2, 0.1]);
    expect(editor.finishDrawing(NAMES)).toBe(false);
    expect(editor.tool.value.kind).toBe("draw");
  });
  it("takes no point from a triangle", () => {
    const editor = new Editor(config({ zone: [{ id: "a", polygon: SQUARE.slice(0, 3) }] }));
    editor.removePoint({ sort: "zone", index: 0 }, 0);
    expect(editor.unsaved.value).toBe(0);
  });
  it("keeps the names of a line's sides where they are when it is turned", () => {
    const editor = new Editor(config({ line: [{ id: "l", points: [[0.1, 0.5], [0.9, 0.5]], left: "street", right: "yard" }] }));
    editor.flip({ sort: "line", index: 0 });
    expect(editor.draft.value.line[0]).toEqual({ id: "l", points: [[0.9, 0.5], [0.1, 0.5]], left: "yard", right: "street" });
  });
  it("keeps what it does not know", () => {
    const rule = { id: "r", kind: "crowd", people: 3, future: { a: 1 } } as RuleRaw;
    const editor = new Editor(config({ zone: [{ id: "a", grid: "g", polygon: SQUARE, rule: [rule] }] }));
    editor.setRule({ sort: "zone", index: 0 }, 0, { ...rule, people: 4 });
    expect(editor.draft.value.zone[0]).toEqual({ id: "a", grid: "g", polygon: SQUARE, rule: [{ ...rule, people: 4 }] });
  });
  it("keeps changes on top of a newer version if asked to", () => {
    const editor = new Editor(config());
    editor.edit({ sort: "zone", index: 0 }, { name: "Mine" }, null);
    editor.rebase({ ...config(), etag: "2" }, true);
    expect([editor.base.value.etag, editor.unsaved.value]).toEqual(["2", 1]);
  });
});

describe("remarks", () => {
  const found = (draft: Partial<Draft>, horizon: number | null = null): string[] =>
    remarks({ zone: [], line: [], mask: [], ...draft }, { schema: SCHEMA, horizon: horizonOf(horizon), ground: false }).map((r) => `${r.level} ${r.rule ?? ""}${r.field ?? ""} ${r.word}`);
  const zone = (...rule: Record<string, unknown>[]): Partial<Draft> => ({ zone: [{ id: "z", polygon: SQUARE, rule: rule.map((r, i) => ({ id: `r${i}`, ...r }) as unknown as RuleRaw) }] });

  it("find nothing in what is right", () => expect(found(zone({ kind: "crowd", people: 12, hold: "10s", release: 10, escalate: [{ value: 25, severity: "severe" }] }))).toEqual([]));
  it("see a polygon that crosses itself, a zone above the horizon, a line at the edge", () => {
    expect(found({ zone: [{ id: "z", polygon: [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]] }] })).toEqual(["error  crosses"]);
    expect(found({ zone: [{ id: "z", polygon: SQUARE }] }, 0.6)).toEqual(["warning  zoneHorizon"]);
    expect(found({ line: [{ id: "l", points: [[0.2, 0.7], [0.5, 0.99]] }] })).toEqual(["warning  lineEdge"]);
    expect(found({ line: [{ id: "l", points: [[0, 0.7], [1, 0.7]] }] })).toEqual([]);
    expect(found({ line: [{ id: "l", points: [[0.01, 0.2], [0.01, 0.8]] }] })).toEqual(["warning  lineEdge"]);
  });
  it("see a hold shorter than the gap, also where the gap is the usual one", () => {
    expect(found(zone({ kind: "crowd", people: 3, hold: "500ms" }))).toEqual(["warning 0hold holdGap"]);
    expect(found(zone({ kind: "intrusion", hold: "2s", gap: "3s" }))).toEqual(["warning 0hold holdGap"]);
    expect(found(zone({ kind: "intrusion" }))).toEqual([]);
  });
  it("see what is missing or no quantity", () => {
    expect(found(zone({ kind: "gathering", people: 3 }))).toEqual(["error 0radius missing"]);
    expect(found(zone({ kind: "loitering", dwell: "10", mode: "linger" }))).toEqual(["error 0dwell badQuantity", "error 0radius missing"]);
    expect(found(zone({ kind: "density" }))).toEqual(["error 0 densityGround"]);
  });
  it("see ids that are taken and steps that go down", () => {
    expect(found(zone({ kind: "intrusion", id: "x" }, { kind: "intrusion", id: "x" }))).toEqual(["error 0id idTaken", "error 1id idTaken"]);
    expect(found(zone({ kind: "crowd", people: 5, escalate: [{ value: 4, severity: "severe" }] }))).toEqual(["error 0escalate escalateOrder"]);
    expect(found(zone({ kind: "proximity", distance: "1m", escalate: [{ value: 0.5, severity: "severe" }] }))).toEqual([]);
  });
});

describe("the form", () => {
  it("has the fields of its kind and no others", () => {
    const names = (kind: Parameters<typeof fieldsOf>[1]): string[] => fieldsOf(SCHEMA, kind).map((f) => f.name);
    expect(names("crowd")).toContain("people");
    expect(names("crowd")).not.toContain("dwell");
    expect(names("loitering")).not.toContain("hold");
    expect(names("crossing")).toContain("direction");
    expect(names("vanished")).not.toContain("gap");
  });
  it("knows types, defaults and what is needed", () => {
    const field = (kind: Parameters<typeof fieldsOf>[1], name: string) => fieldsOf(SCHEMA, kind).find((f) => f.name === name);
    expect(field("crowd", "hold")).toMatchObject({ type: "duration", fallback: "0s", required: false });
    expect(field("rush", "hold")?.fallback).toBe("2s");
    expect(field("loitering", "dwell")).toMatchObject({ type: "duration", required: true, own: true });
    expect(field("wrong_way", "along")).toMatchObject({ type: "way", required: true });
    expect(field("density", "escalate")).toMatchObject({ type: "steps", own: false });
    expect(field("rush", "speed")?.type).toBe("speed");
    expect(field("crossing", "direction")?.choices).toEqual(["left_to_right", "right_to_left"]);
  });
  it("offers crossings to lines and all others to zones", () => {
    expect(kindsOf(SCHEMA, "line")).toEqual(["crossing"]);
    expect(kindsOf(SCHEMA, "zone")).toHaveLength(10);
  });
});

it("counts what differs by shape", () => {
  const before: Draft = { zone: [{ id: "a", polygon: SQUARE }, { id: "b", polygon: SQUARE }], line: [], mask: [] };
  const after: Draft = { zone: [{ id: "b", polygon: SQUARE, name: "B" }, { id: "c", polygon: SQUARE }], line: [], mask: [] };
  expect(changes(before, after)).toBe(3);
  expect(freeId("a", ["a", "a-2"])).toBe("a-3");
});

it("shows lines that changed with those around them", () => {
  const before = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].join("\n");
  const lines = diff(before, before.replace("5", "five"), 1);
  expect(lines.map((l) => l.sign + l.text)).toEqual([" 4", "-5", "+five", " 6"]);
  expect(diff(before, before)).toEqual([]);
});

it("draws no line through a pause", () => {
  expect(
    pieces([
      [0, 0.1, 0.1, 0.2],
      [1, 0.2, 0.1, 0.2],
      [60, 0.9, 0.9, 0.2],
    ]),
  ).toEqual([
    [
      [0.1, 0.1],
      [0.2, 0.1],
    ],
    [[0.9, 0.9]],
  ]);
});
