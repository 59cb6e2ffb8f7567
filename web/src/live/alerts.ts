/** Alerts as they are now: the newest of the journal, kept up to date by the server's events. */

import { computed, signal } from "@preact/signals";

import { api } from "../api";
import type { AlertEvent, AlertRow, Severity } from "../api/types";
import { SEVERITIES } from "../api/types";

/** More than a screen ever shows. */
const MOST = 400;
const PAGE = 200;
const AGAIN = 3_000;

export type Link = "joining" | "live" | "lost";
export const link = signal<Link>("joining");

const rows = signal<ReadonlyMap<string, AlertRow>>(new Map());
/** Goes up with each change of any alert, for pages that hold one of their own. */
export const touched = signal<{ alert: string; n: number }>({ alert: "", n: 0 });

function byNewest(a: AlertRow, b: AlertRow): number {
  return a.started_at < b.started_at ? 1 : a.started_at > b.started_at ? -1 : 0;
}

export function rank(severity: Severity | null): number {
  return severity === null ? -1 : SEVERITIES.indexOf(severity);
}

export const newest = computed(() => [...rows.value.values()].sort(byNewest));
/** What goes on, the worst first. */
export const open = computed(() =>
  newest.value
    .filter((row) => row.ended_at === null)
    .sort((a, b) => rank(b.last.severity) - rank(a.last.severity) || byNewest(a, b)),
);

/** A row with a newer event. Pure. */
export function advanced(row: AlertRow | undefined, event: AlertEvent): AlertRow | null {
  if (event.alert === null || (row !== undefined && row.last.seq >= event.seq)) return null;
  return {
    alert: event.alert,
    started_at: row?.started_at ?? event.started_at ?? event.at,
    ended_at: event.state === "ended" ? event.at : (row?.ended_at ?? null),
    last: event,
    answer: row?.answer ?? null,
  };
}

function keep(next: Map<string, AlertRow>): void {
  if (next.size > MOST) {
    const sorted = [...next.values()].sort(byNewest);
    // What goes on is never dropped.
    for (const row of sorted.slice(MOST)) if (row.ended_at !== null) next.delete(row.alert);
  }
  rows.value = next;
}

export function patch(alert: string, change: (row: AlertRow) => AlertRow): void {
  const row = rows.value.get(alert);
  if (row !== undefined) keep(new Map(rows.value).set(alert, change(row)));
}

async function load(): Promise<void> {
  const [recent, going] = await Promise.all([api.alerts({ limit: PAGE }), api.alerts({ open: true, limit: PAGE })]);
  const next = new Map<string, AlertRow>();
  for (const row of [...recent.alerts, ...going.alerts]) {
    const known = rows.value.get(row.alert);
    next.set(row.alert, known !== undefined && known.last.seq > row.last.seq ? known : row);
  }
  keep(next);
}

/** Reads until the returned function is called. `raised` hears of each alert that starts or gets worse. */
export function follow(raised: (event: AlertEvent) => void): () => void {
  let stream: EventSource | null = null;
  let again: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  const reload = (): void => {
    load().catch(() => {
      if (!over) again = setTimeout(reload, AGAIN);
    });
  };
  const begin = (): void => {
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("open", () => {
      link.value = "live";
      reload();
    });
    stream.addEventListener("alert", (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as AlertEvent;
      if (event.alert === null) return;
      const before = rows.value.get(event.alert);
      const row = advanced(before, event);
      if (row === null) return;
      keep(new Map(rows.value).set(row.alert, row));
      touched.value = { alert: row.alert, n: touched.value.n + 1 };
      const worse = rank(event.severity) > rank(before?.last.severity ?? null);
      if (event.state === "started" || (event.state === "updated" && worse)) raised(event);
    });
    stream.addEventListener("lagged", reload);
    stream.addEventListener("error", () => {
      link.value = "lost";
      if (stream?.readyState === EventSource.CLOSED && !over) again = setTimeout(begin, AGAIN);
    });
  };
  begin();
  return () => {
    over = true;
    clearTimeout(again);
    stream?.close();
    link.value = "joining";
    rows.value = new Map();
  };
}
