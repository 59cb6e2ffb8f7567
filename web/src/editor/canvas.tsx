/** The picture with what is drawn on it. One unit of the drawing is one pixel of the screen. */

import { useEffect, useRef } from "preact/hooks";

import type { Ground, XY } from "../api/types";
import { useSize } from "../ui/use";
import { t } from "../words";
import type { Place, Shape, Sort } from "./draft";
import { isClosed, pointsOf } from "./draft";
import { across, distance, edges, labelPoint, middle } from "./geometry";
import { key } from "./keys";
import type { Editor, NewNames } from "./state";
import { Tracks } from "./tracks";
import type { Remark } from "./warnings";

/** How near to the first point a click finishes a drawing, pixels. */
const SNAP = 12;
const SORTS: readonly Sort[] = ["mask", "zone", "line"];

interface Props {
  editor: Editor;
  readOnly: boolean;
  aspect: number;
  ground: Ground | null;
  names: boolean;
  found: readonly Remark[];
  children: preact.ComponentChildren;
}

/** A movement that goes on. */
interface Drag {
  place: Place;
  /** Null for the whole shape. */
  point: number | null;
  from: XY;
  points: XY[];
  about: string;
}

export function Canvas({ editor, readOnly, aspect, ground, names, found, children }: Props) {
  const w = t();
  const [measure, size] = useSize();
  const frame = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const { width, height } = size;
  const tool = editor.tool.value;
  const drawing = tool.kind !== "select";
  const newNames: NewNames = { zone: w.editor.newZone, line: w.editor.newLine };

  useEffect(() => frame.current?.style.setProperty("--aspect", String(aspect)), [aspect]);
  useEffect(() => {
    if (drawing) frame.current?.querySelector("svg")?.focus();
  }, [drawing]);

  const place = (event: PointerEvent): XY => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const at = place(event);
    if (tool.kind !== "select") {
      event.preventDefault();
      const first = tool.points[0];
      const closes = first !== undefined && tool.points.length >= 3 && distance(first, at, aspect) * height < SNAP;
      const last = tool.points[tool.points.length - 1];
      const again = last !== undefined && distance(last, at, aspect) * height < 4;
      if ((closes && !(tool.kind === "draw" && tool.sort === "line")) || again) editor.finishDrawing(newNames);
      else editor.addDrawn(at);
      return;
    }
    const hit = hitOf(event.target);
    if (hit === null) {
      editor.select(null);
      return;
    }
    if (hit.insert !== null && !readOnly) editor.insertPoint(hit.place, hit.insert, at);
    const point = hit.insert === null ? hit.point : hit.insert + 1;
    editor.select(hit.place, point);
    if (readOnly) return;
    const about = `drag ${Date.now()}`;
    drag.current = { place: hit.place, point, from: at, points: editor.pointsAt(hit.place), about };
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent): void => {
    const at = place(event);
    if (drawing) editor.cross.value = at;
    const held = drag.current;
    if (held === null) return;
    const [dx, dy] = [at[0] - held.from[0], at[1] - held.from[1]];
    if (held.point === null) editor.moveShape(held.place, held.points, dx, dy, held.about);
    else {
      const start = held.points[held.point];
      if (start !== undefined) editor.movePoint(held.place, held.point, [start[0] + dx, start[1] + dy], held.about);
    }
  };
  const up = (): void => {
    if (drag.current !== null) editor.settle();
    drag.current = null;
  };

  const scale = ([x, y]: XY): string => `${(x * width).toFixed(1)},${(y * height).toFixed(1)}`;
  const draft = editor.draft.value;
  const at = editor.selection.value;
  const shown = editor.shown.value;
  return (
    <div class="frame" ref={frame}>
      <div class="sheet-of-glass" ref={measure}>
        {children}
        <svg
          class={drawing ? "glass drawing" : "glass"}
          width={width}
          height={height}
          tabindex={0}
          role="application"
          aria-label={drawing ? w.editor.drawHint : w.editor.editHint}
          onPointerDown={down}
          onPointerMove={move}
          onPointerUp={up}
          onPointerCancel={up}
          onDblClick={() => editor.finishDrawing(newNames)}
          onKeyDown={(event) => key(event, editor, readOnly, newNames)}
        >
          <Patterns />
          {ground !== null && <Grid ground={ground} scale={scale} />}
          {SORTS.map((sort) =>
            draft[sort].map((shape: Shape, index: number) => (
              <ShapeOn
                key={`${sort}${index}`}
                sort={sort}
                index={index}
                shape={shape}
                scale={scale}
                size={size}
                aspect={aspect}
                selected={at?.place.sort === sort && at.place.index === index}
                name={names}
                level={found.find((r) => r.sort === sort && r.index === index && r.rule === null)?.level ?? null}
              />
            )),
          )}
          {shown !== null && <Tracks shown={shown} size={size} scale={scale} />}
          <Ways editor={editor} scale={scale} />
          {at !== null && !drawing && <Handles editor={editor} place={at.place} readOnly={readOnly} size={size} />}
          {drawing && <Drawing points={tool.points} closed={tool.kind === "draw" && isClosed(tool.sort)} cross={editor.cross.value} scale={scale} size={size} />}
        </svg>
      </div>
    </div>
  );
}

interface Hit {
  place: Place;
  point: number | null;
  insert: number | null;
}

function hitOf(target: EventTarget | null): Hit | null {
  const element = target instanceof Element ? target.closest<SVGElement>("[data-sort]") : null;
  if (element === null) return null;
  const { sort, index, point, insert } = element.dataset;
  const number = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
  return { place: { sort: sort as Sort, index: Number(index) }, point: number(point), insert: number(insert) };
}

function Patterns() {
  return (
    <defs>
      <pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect class="hatch" width="3" height="8" />
      </pattern>
      <marker id="arrow" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
        <path class="arrow-head" d="M0 0 10 5 0 10z" />
      </marker>
    </defs>
  );
}

interface ShapeProps {
  sort: Sort;
  index: number;
  shape: Shape;
  scale: (p: XY) => string;
  size: { width: number; height: number };
  aspect: number;
  selected: boolean;
  name: boolean;
  level: "error" | "warning" | null;
}

function ShapeOn({ sort, index, shape, scale, size, aspect, selected, name, level }: ShapeProps) {
  const w = t();
  const points = pointsOf(shape);
  const text = points.map(scale).join(" ");
  const label = "id" in shape ? (shape.name ?? shape.id) : w.editor.mask;
  const where = isClosed(sort) ? labelPoint(points) : null;
  const kind = "kind" in shape ? ` ${shape.kind}` : "";
  return (
    <g class={`shape ${sort}${kind} ${selected ? "selected" : ""} ${level ?? ""}`} data-sort={sort} data-index={index}>
      {isClosed(sort) ? <polygon points={text} /> : <polyline class="wide" points={text} />}
      {!isClosed(sort) && <polyline points={text} />}
      {"points" in shape && <Sides shape={shape} size={size} aspect={aspect} names={name} />}
      {name && where !== null && sort !== "mask" && (
        <text class="label" x={where[0] * size.width} y={where[1] * size.height} text-anchor="middle">
          {label}
        </text>
      )}
    </g>
  );
}

/** An arrow across the line, and the names of its sides. */
function Sides({ shape, size, aspect, names }: { shape: Extract<Shape, { points: XY[] }>; size: { width: number; height: number }; aspect: number; names: boolean }) {
  const w = t();
  const middleOf = across(shape.points, aspect);
  if (middleOf === null) return null;
  const [x, y] = [middleOf.at[0] * size.width, middleOf.at[1] * size.height];
  const [dx, dy] = middleOf.right;
  const [reach, far] = [22, 40];
  const anchor = (side: number): "start" | "end" | "middle" => (Math.abs(dx) < 0.35 ? "middle" : dx * side > 0 ? "start" : "end");
  return (
    <>
      <line class="arrow" x1={x - dx * reach} y1={y - dy * reach} x2={x + dx * reach} y2={y + dy * reach} marker-start="url(#arrow)" marker-end="url(#arrow)" />
      {names && (
        <>
          <text class="label side" x={x + dx * far} y={y + dy * far + 4} text-anchor={anchor(1)}>
            {shape.right ?? w.wall.right}
          </text>
          <text class="label side" x={x - dx * far} y={y - dy * far + 4} text-anchor={anchor(-1)}>
            {shape.left ?? w.wall.left}
          </text>
        </>
      )}
    </>
  );
}

interface HandlesProps {
  editor: Editor;
  place: Place;
  readOnly: boolean;
  size: { width: number; height: number };
}

function Handles({ editor, place, readOnly, size }: HandlesProps) {
  const w = t();
  const points = editor.pointsAt(place);
  const chosen = editor.selection.value?.point ?? null;
  const box = useRef<SVGGElement>(null);
  useEffect(() => {
    const now = document.activeElement;
    // The keyboard's focus follows the selected point while it is on the picture.
    if (chosen !== null && now instanceof SVGElement && now.closest(".glass") !== null) box.current?.querySelector<SVGElement>(`[data-point="${chosen}"]`)?.focus();
  }, [chosen, points.length]);
  return (
    <g class="handles" ref={box}>
      {!readOnly &&
        edges(points, isClosed(place.sort)).map(([a, b], i) => {
          const [x, y] = middle(a, b);
          return (
            <g key={`m${i}`} class="between" data-sort={place.sort} data-index={place.index} data-insert={i} aria-label={w.editor.addPoint(i + 1)}>
              <circle class="reach" cx={x * size.width} cy={y * size.height} r={11} />
              <circle cx={x * size.width} cy={y * size.height} r={4} />
            </g>
          );
        })}
      {points.map(([x, y], i) => (
        <g
          key={i}
          class={i === chosen ? "point chosen" : "point"}
          data-sort={place.sort}
          data-index={place.index}
          data-point={i}
          tabindex={0}
          role="button"
          aria-label={w.editor.point(i + 1, points.length)}
          onFocus={() => {
            if (editor.selection.value?.point !== i) editor.select(place, i);
          }}
        >
          <circle class="reach" cx={x * size.width} cy={y * size.height} r={13} />
          <circle cx={x * size.width} cy={y * size.height} r={i === chosen ? 7 : 5.5} />
          {!isClosed(place.sort) && (
            <text class="order" x={x * size.width + 10} y={y * size.height - 9}>
              {i + 1}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}

function Ways({ editor, scale }: { editor: Editor; scale: (p: XY) => string }) {
  const at = editor.selection.value;
  if (at === null || at.place.sort === "mask") return null;
  const shape = editor.draft.value[at.place.sort][at.place.index];
  return (
    <>
      {(shape?.rule ?? []).map((rule) => {
        const way = rule["along"];
        return Array.isArray(way) ? <polyline key={rule.id} class="way" points={(way as XY[]).map(scale).join(" ")} marker-end="url(#arrow)" /> : null;
      })}
    </>
  );
}

interface DrawingProps {
  points: XY[];
  closed: boolean;
  cross: XY | null;
  scale: (p: XY) => string;
  size: { width: number; height: number };
}

function Drawing({ points, closed, cross, scale, size }: DrawingProps) {
  const all = cross === null ? points : [...points, cross];
  return (
    <g class="draft">
      {closed && all.length > 2 ? <polygon points={all.map(scale).join(" ")} /> : <polyline points={all.map(scale).join(" ")} />}
      {points.map(([x, y], i) => (
        <circle key={i} class={i === 0 ? "first" : ""} cx={x * size.width} cy={y * size.height} r={i === 0 ? 6 : 4} />
      ))}
      {cross !== null && <path class="cross" d={`M${cross[0] * size.width - 9} ${cross[1] * size.height}h18M${cross[0] * size.width} ${cross[1] * size.height - 9}v18`} />}
    </g>
  );
}

function Grid({ ground, scale }: { ground: Ground; scale: (p: XY) => string }) {
  return (
    <g class="grid">
      {ground.lines.map((line, i) => (
        <polyline key={i} points={line.map(scale).join(" ")} />
      ))}
    </g>
  );
}
