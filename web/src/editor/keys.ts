/** What keys do on the picture. */

import type { XY } from "../api/types";
import { clamp, middle, shifted } from "./geometry";
import { isClosed, withPoints } from "./draft";
import type { Editor, NewNames } from "./state";

/** Fractions of the picture that one press moves. */
const STEP = 0.002;
const FAR = 0.02;
const ARROWS: Record<string, XY> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function key(event: KeyboardEvent, editor: Editor, readOnly: boolean, names: NewNames): void {
  const handled = editor.tool.value.kind === "select" ? edit(event, editor, readOnly) : draw(event, editor, names);
  if (!handled) return;
  event.preventDefault();
  event.stopPropagation();
}

function arrow(event: KeyboardEvent, near: number): XY | null {
  const way = ARROWS[event.key];
  const step = event.shiftKey ? FAR : near;
  return way === undefined ? null : [way[0] * step, way[1] * step];
}

function draw(event: KeyboardEvent, editor: Editor, names: NewNames): boolean {
  const move = arrow(event, STEP * 4);
  const cross = editor.cross.value ?? [0.5, 0.5];
  if (move !== null) {
    editor.cross.value = [clamp(cross[0] + move[0]), clamp(cross[1] + move[1])];
    return true;
  }
  switch (event.key) {
    case " ":
      editor.cross.value = cross;
      editor.addDrawn(cross);
      return true;
    case "Enter":
      editor.finishDrawing(names);
      return true;
    case "Escape":
      editor.cancelDrawing();
      return true;
    case "Backspace":
      editor.dropDrawn();
      return true;
    default:
      return false;
  }
}

function edit(event: KeyboardEvent, editor: Editor, readOnly: boolean): boolean {
  const at = editor.selection.value;
  if (event.key === "Escape" && at !== null) {
    editor.select(at.point === null ? null : at.place);
    return true;
  }
  if (at === null || readOnly) return false;
  const points = editor.pointsAt(at.place);
  const move = arrow(event, STEP);
  if (move !== null) {
    const about = `keys ${at.place.sort}${at.place.index}.${at.point ?? ""}`;
    const point = at.point === null ? undefined : points[at.point];
    if (at.point !== null && point !== undefined) editor.movePoint(at.place, at.point, [point[0] + move[0], point[1] + move[1]], about);
    else editor.change(withPoints(editor.draft.value, at.place, shifted(points, ...move)), about);
    return true;
  }
  if (event.key === "Delete" || event.key === "Backspace") {
    if (at.point !== null) editor.removePoint(at.place, at.point);
    return at.point !== null;
  }
  if (event.key === "Insert" || event.key === "+") {
    const after = at.point ?? 0;
    const next = points[after + 1] ?? (isClosed(at.place.sort) ? points[0] : points[after - 1]);
    const point = points[after];
    if (point === undefined || next === undefined) return false;
    editor.insertPoint(at.place, after < points.length - 1 || isClosed(at.place.sort) ? after : after - 1, middle(point, next));
    return true;
  }
  return false;
}
