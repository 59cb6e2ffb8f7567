/** Live pictures of several cameras over one connection: browsers allow six to a host, a wall has more tiles. */

import { Parts } from "./multipart";

/** Draws a picture; the receiver closes it. */
export type Show = (picture: ImageBitmap) => void;

const AGAIN = 2_000;
const watchers = new Map<string, Set<Show>>();
let running: { stop: AbortController; cameras: string } | null = null;
let planned: ReturnType<typeof setTimeout> | undefined;

/** Shows a camera's pictures until the returned function is called. */
export function watch(camera: string, show: Show): () => void {
  const shows = watchers.get(camera) ?? new Set<Show>();
  shows.add(show);
  watchers.set(camera, shows);
  plan(0);
  return () => {
    shows.delete(show);
    if (shows.size === 0 && watchers.get(camera) === shows) watchers.delete(camera);
    plan(0);
  };
}

/** Pages come and go with several cameras at a time: one new connection serves them all. */
function plan(wait: number): void {
  clearTimeout(planned);
  planned = setTimeout(() => {
    const cameras = [...watchers.keys()].sort().join(",");
    if (running?.cameras === cameras) return;
    running?.stop.abort();
    running = null;
    if (cameras !== "" && !document.hidden) void read(cameras);
  }, wait + 30);
}

async function read(cameras: string): Promise<void> {
  const stop = new AbortController();
  const mine = { stop, cameras };
  running = mine;
  try {
    const answer = await fetch(`/api/v1/live?cameras=${encodeURIComponent(cameras)}`, { signal: stop.signal });
    const reader = answer.ok ? answer.body?.getReader() : undefined;
    const parts = new Parts();
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const part of newest(parts.push(value))) await hand(part.camera, part.body);
    }
  } catch {
    // A connection that broke is made again; one that was stopped is not missed.
  }
  stop.abort();
  if (running === mine) {
    running = null;
    plan(AGAIN);
  }
}

interface Picture {
  camera: string;
  body: Uint8Array<ArrayBuffer>;
}

/** Of each camera the last one: a page that is behind catches up. */
function newest(parts: { headers: Map<string, string>; body: Uint8Array }[]): Picture[] {
  const out = new Map<string, Picture>();
  for (const { headers, body } of parts) {
    const camera = headers.get("x-lookout-camera");
    if (camera !== undefined) out.set(camera, { camera, body: new Uint8Array(body) });
  }
  return [...out.values()];
}

async function hand(camera: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const shows = watchers.get(camera);
  if (shows === undefined || shows.size === 0) return;
  const picture = await createImageBitmap(new Blob([body], { type: "image/jpeg" })).catch(() => null);
  if (picture === null) return;
  for (const show of shows) show(picture);
  picture.close();
}

/** Nobody looks at a hidden page: the server need not paint for it. */
export function rest(): void {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      running?.stop.abort();
      running = null;
    } else plan(0);
  });
}
