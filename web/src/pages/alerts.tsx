/** Alerts: a list with filters, kept up to date, and one of them in detail. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { api } from "../api";
import type { AlertWish } from "../api";
import type { AlertRow, Kind, Severity } from "../api/types";
import { SEVERITIES } from "../api/types";
import { newest, touched } from "../live/alerts";
import { cameras } from "../live/cameras";
import { address, go, replaceQuery, route } from "../route";
import { AlertLine } from "../ui/alert";
import { now } from "../ui/now";
import { ErrorNote } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { en } from "../words/en";
import { t } from "../words";
import { AlertDetail } from "./alert";

const PAGE = 100;
/** Events come in bursts; the list is asked for once after them. */
const CALM = 700;
/** Hours. */
const WITHIN = [1, 6, 24, 72, 168, 720];
const KINDS = Object.keys(en.kind) as Kind[];

function wishOf(query: URLSearchParams): AlertWish {
  const wish: AlertWish = { limit: PAGE };
  const text = (name: string): string | null => (query.get(name) === "" ? null : query.get(name));
  const state = text("state");
  if (state === "open") wish.open = true;
  if (state === "unanswered") wish.unanswered = true;
  for (const name of ["kind", "camera", "min_severity"] as const) {
    const value = text(name);
    if (value !== null) wish[name] = value;
  }
  const within = Number(text("within") ?? Number.NaN);
  // To the minute: the same wish is the same address for a while.
  if (within > 0) wish.since = new Date(Math.floor(Date.now() / 60_000) * 60_000 - within * 3_600_000).toISOString();
  return wish;
}

export function AlertsPage({ alert }: { alert: string | null }) {
  const query = route.value.query;
  const wish = useMemo(() => wishOf(query), [query.toString()]);
  return (
    <div class={`alerts ${alert === null ? "list-only" : "with-detail"}`}>
      <section class="pane">
        <Filters query={query} />
        <List wish={wish} plain={query.size === 0} current={alert} query={query} />
      </section>
      <section class="pane detail">
        {alert === null ? <p class="blank">{t().alerts.pick}</p> : <AlertDetail key={alert} alert={alert} back={withQuery(address("alerts"), query)} />}
      </section>
    </div>
  );
}

function withQuery(to: string, query: URLSearchParams): string {
  return query.size === 0 ? to : `${to}?${query.toString()}`;
}

function Filters({ query }: { query: URLSearchParams }) {
  const w = t();
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(query);
    if (value === "") next.delete(name);
    else next.set(name, value);
    replaceQuery(next);
  };
  const value = (name: string): string => query.get(name) ?? "";
  const states = [
    ["", w.alerts.filter.all],
    ["open", w.alerts.filter.open],
    ["unanswered", w.alerts.filter.unanswered],
  ] as const;
  return (
    <div class="filters">
      <div class="segments" role="group" aria-label={w.alerts.filter.state}>
        {states.map(([state, label]) => (
          <button key={state} type="button" aria-pressed={value("state") === state} onClick={() => set("state", state)}>
            {label}
          </button>
        ))}
      </div>
      <select aria-label={w.alerts.filter.severity} value={value("min_severity")} onChange={(e) => set("min_severity", e.currentTarget.value)}>
        <option value="">{`${w.alerts.filter.severity}: ${w.alerts.filter.any}`}</option>
        {SEVERITIES.map((severity: Severity) => (
          <option key={severity} value={severity}>
            {w.severity[severity]}
          </option>
        ))}
      </select>
      <select aria-label={w.alerts.filter.kind} value={value("kind")} onChange={(e) => set("kind", e.currentTarget.value)}>
        <option value="">{`${w.alerts.filter.kind}: ${w.alerts.filter.any}`}</option>
        {KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {w.kind[kind]}
          </option>
        ))}
      </select>
      <select aria-label={w.alerts.filter.camera} value={value("camera")} onChange={(e) => set("camera", e.currentTarget.value)}>
        <option value="">{`${w.alerts.filter.camera}: ${w.alerts.filter.any}`}</option>
        {(cameras.value ?? []).map((camera) => (
          <option key={camera.id} value={camera.id}>
            {camera.name}
          </option>
        ))}
      </select>
      <select aria-label={w.alerts.filter.since} value={value("within")} onChange={(e) => set("within", e.currentTarget.value)}>
        <option value="">{`${w.alerts.filter.since}: ${w.alerts.filter.any}`}</option>
        {WITHIN.map((hours) => (
          <option key={hours} value={String(hours)}>
            {hours < 24 ? w.whatif.hours(hours) : w.whatif.days(hours / 24)}
          </option>
        ))}
      </select>
      {query.size > 0 && (
        <button type="button" class="plain" onClick={() => replaceQuery(new URLSearchParams())}>
          {w.alerts.filter.reset}
        </button>
      )}
    </div>
  );
}

interface ListProps {
  wish: AlertWish;
  /** No filter is set: the newest are known already. */
  plain: boolean;
  current: string | null;
  query: URLSearchParams;
}

function List({ wish, plain, current, query }: ListProps) {
  const w = t();
  const key = JSON.stringify(wish);
  const found = useAsked(plain ? null : key, (signal) => api.alerts(wish, signal));
  useEffect(() => {
    if (plain || touched.value.n === 0) return;
    const timer = setTimeout(found.again, CALM);
    return () => clearTimeout(timer);
  }, [touched.value.n, plain]);

  const [older, setOlder] = useState<{ key: string; rows: AlertRow[]; end: boolean }>({ key, rows: [], end: false });
  const more = useAct();
  const extra = older.key === key ? older : { key, rows: [], end: false };
  const first = plain ? newest.value : (found.data?.alerts ?? []);
  const seen = new Set(first.map((row) => row.alert));
  const rows = [...first, ...extra.rows.filter((row) => !seen.has(row.alert))];
  const last = rows[rows.length - 1];
  const mayHaveMore = !extra.end && (plain ? first.length >= PAGE : found.data?.next !== null && found.data !== null);

  const box = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    const lines = [...(box.current?.querySelectorAll<HTMLAnchorElement>("a.alert") ?? [])];
    const at = lines.findIndex((line) => line === document.activeElement);
    const next = lines[Math.max(0, at + step)];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
    if (current !== null) go(next.hash);
  };
  if (found.error !== null && rows.length === 0) return <ErrorNote error={found.error} retry={found.again} />;
  return (
    <div class="list" ref={box} onKeyDown={move}>
      {rows.map((row) => (
        <AlertLine key={row.alert} row={row} href={withQuery(address("alerts", row.alert), query)} now={now.value} current={row.alert === current} />
      ))}
      {rows.length === 0 && <p class="blank">{found.loading ? w.app.loading : plain ? w.alerts.none : w.alerts.empty}</p>}
      {more.error !== null && <ErrorNote error={more.error} />}
      {mayHaveMore && last !== undefined && (
        <button
          type="button"
          class="plain"
          disabled={more.busy}
          onClick={() =>
            more.run(async () => {
              const page = await api.alerts({ ...wish, after: last.alert });
              setOlder({ key, rows: [...extra.rows, ...page.alerts], end: page.next === null });
            })
          }
        >
          {w.act.more}
        </button>
      )}
    </div>
  );
}
