/** The tracks behind an alert of the what-if, drawn where people walked. */

import type { Incident, Trails, XY } from "../api/types";

interface Props {
  shown: { incident: Incident; trails: Trails };
  size: { width: number; height: number };
  scale: (p: XY) => string;
}

/** Longer pauses are no walk: the person was not seen. */
const BREAK = 5;

/** Pieces of a track without long pauses. */
export function pieces(points: readonly [number, number, number, number][]): XY[][] {
  const out: XY[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [time, x, y] of points) {
    if (time - last > BREAK) out.push([]);
    out[out.length - 1]?.push([x, y]);
    last = time;
  }
  return out;
}

export function Tracks({ shown, size, scale }: Props) {
  const { incident, trails } = shown;
  const chosen = new Set(incident.tracks);
  return (
    <g class={`trails ${incident.severity}`}>
      {trails.tracks.map((track) =>
        pieces(track.points).map((piece, i) => (
          <polyline key={`${track.id}.${i}`} class={chosen.has(track.id) ? "cause" : ""} points={piece.map(scale).join(" ")} />
        )),
      )}
      {trails.tracks
        .filter((track) => chosen.has(track.id))
        .map((track) => {
          const last = track.points[track.points.length - 1];
          return last === undefined ? null : <circle key={track.id} cx={last[1] * size.width} cy={last[2] * size.height} r={5} />;
        })}
      {incident.box !== null && (
        <rect class="box" x={incident.box[0] * size.width} y={incident.box[1] * size.height} width={incident.box[2] * size.width} height={incident.box[3] * size.height} />
      )}
      {incident.where !== null && <circle class="where" cx={incident.where[0] * size.width} cy={incident.where[1] * size.height} r={9} />}
    </g>
  );
}
