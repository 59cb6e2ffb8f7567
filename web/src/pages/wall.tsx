/** All cameras at once; one of them large. */

import { useEffect, useRef, useState } from "preact/hooks";

import { AddCamera } from "../adding/parts";
import type { Camera, Severity } from "../api/types";
import { newest, open, rank } from "../live/alerts";
import { cameras, known } from "../live/cameras";
import { address, go } from "../route";
import { may } from "../session";
import { AlertLine } from "../ui/alert";
import { Icon } from "../ui/icons";
import { LivePicture } from "../ui/live";
import { now } from "../ui/now";
import { PlainPicture } from "../ui/plain";
import { fixed, lasting, millis, number, t } from "../words";

/** An age above this, milliseconds, is worth a colour. */
const OLD = 1_000;
const RECENT = 6;

export function WallPage({ camera }: { camera: string | null }) {
  const w = t();
  const all = cameras.value;
  if (all === null) return <div class="blank">{w.app.loading}</div>;
  const one = camera === null ? undefined : all.find((c) => c.id === camera);
  if (one !== undefined) return <Large camera={one} />;
  if (all.length === 0) {
    return (
      <div class="blank">
        <p>{w.wall.none}</p>
        {may("edit_source") && <AddCamera />}
      </div>
    );
  }
  return (
    <div class="wall">
      <Tiles all={all} />
      <Feed />
    </div>
  );
}

function worstOf(camera: string): Severity | null {
  const mine = open.value.filter((row) => row.last.camera === camera);
  return mine.reduce<Severity | null>((worst, row) => (rank(row.last.severity) > rank(worst) ? row.last.severity : worst), null);
}

function Tiles({ all }: { all: Camera[] }) {
  const box = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(box.current), ArrowUp: -columns(box.current) };
    const step = steps[event.key];
    const tiles = [...(box.current?.querySelectorAll<HTMLElement>(".tile > a") ?? [])];
    const at = tiles.findIndex((tile) => tile === document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    tiles[at + step]?.focus();
  };
  return (
    <div class={`tiles n${Math.min(all.length, 5)}`} ref={box} onKeyDown={move}>
      {all.map((camera) => (
        <Tile key={camera.id} camera={camera} />
      ))}
    </div>
  );
}

function columns(box: HTMLElement | null): number {
  return box === null ? 1 : getComputedStyle(box).gridTemplateColumns.split(" ").length;
}

/** Whether what the tile says can be believed, and how it is coloured. */
function health(camera: Camera): "good" | "wait" | "bad" | "lost" {
  if (!known.value) return "lost";
  if (camera.state === "online") return "good";
  return camera.state === "offline" ? "bad" : "wait";
}

export function Health({ camera }: { camera: Camera }) {
  const w = t();
  const how = health(camera);
  return (
    <span class={`health ${how}`}>
      <i class="dot" />
      {how === "lost" ? w.app.link.lost : w.camera[camera.state]}
      {how === "good" && <span class={camera.frame_age_ms > OLD ? "age old" : "age"}>{millis(camera.frame_age_ms)}</span>}
    </span>
  );
}

function Overlay({ camera }: { camera: Camera }) {
  const w = t();
  if (health(camera) === "good") return null;
  const since = camera.last_picture === null ? null : lasting((now.value - Date.parse(camera.last_picture)) / 1000);
  return (
    <div class="veil">
      <b>{camera.state === "offline" ? w.wall.noSignal : camera.state === "ended" ? w.camera.ended : w.wall.waiting}</b>
      {since !== null && camera.state !== "connecting" && <span>{w.wall.lastPicture(since)}</span>}
      {camera.message !== null && camera.message !== "" && <code lang="en">{camera.message}</code>}
    </div>
  );
}

function snoozes(camera: Camera): number {
  return camera.snoozed?.length ?? 0;
}

function Tile({ camera }: { camera: Camera }) {
  const w = t();
  const worst = worstOf(camera.id);
  const good = health(camera) === "good";
  return (
    <article class={`tile ${worst === null ? "" : `raised ${worst}`} ${health(camera)}`}>
      <a href={address("wall", camera.id)} aria-label={w.wall.enlarge(camera.name)}>
        <div class="view">
          <LivePicture camera={camera.id} label={camera.name} />
          <Overlay camera={camera} />
        </div>
        <div class="caption">
          <b class="name">{camera.name}</b>
          {snoozes(camera) > 0 && (
            <span class="snoozed" title={w.wall.snoozed(snoozes(camera))}>
              <Icon name="snooze" />
            </span>
          )}
          <span class="grow" />
          <Health camera={camera} />
        </div>
        <div class="counts">
          <Count label={w.wall.inView} value={good ? camera.people : null} strong />
          {camera.zones.map((zone) => (
            <Count key={zone.id} label={zone.name} value={good ? zone.people : null} />
          ))}
        </div>
      </a>
    </article>
  );
}

function Count({ label, value, strong = false }: { label: string; value: number | null; strong?: boolean }) {
  return (
    <span class={`count ${strong ? "strong" : ""} ${value === 0 ? "zero" : ""}`}>
      <b>{value === null ? "–" : number(value)}</b>
      <span>{label}</span>
    </span>
  );
}

function Feed() {
  const w = t();
  const going = open.value;
  const over = newest.value.filter((row) => row.ended_at !== null).slice(0, RECENT);
  return (
    <aside class="feed">
      <h2>
        {w.wall.openAlerts}
        {going.length > 0 && <span class={`badge ${going[0]?.last.severity ?? "minor"}`}>{going.length}</span>}
      </h2>
      {going.length === 0 && (
        <p class="calm">
          <Icon name="check" />
          {w.wall.nothingOpen}
        </p>
      )}
      {going.map((row) => (
        <AlertLine key={row.alert} row={row} href={address("alerts", row.alert)} now={now.value} />
      ))}
      {over.length > 0 && <h2 class="quiet">{w.wall.recent}</h2>}
      {over.map((row) => (
        <AlertLine key={row.alert} row={row} href={address("alerts", row.alert)} now={now.value} />
      ))}
      {may("edit_source") && (
        <p class="foot">
          <AddCamera />
        </p>
      )}
    </aside>
  );
}

function Rests({ camera }: { camera: Camera }) {
  const w = t();
  const why = camera.suspended ?? null;
  return why === null ? null : <p class="small rests">{w.wall.rests(w.wall.restsBecause[why] ?? why)}</p>;
}

function Large({ camera }: { camera: Camera }) {
  const w = t();
  const [aspect, setAspect] = useState(4 / 3);
  const [plain, setPlain] = useState(false);
  const good = health(camera) === "good";
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const step = (by: number): void => {
      const all = cameras.value ?? [];
      const next = all[(all.findIndex((c) => c.id === camera.id) + by + all.length) % all.length];
      if (next !== undefined && next.id !== camera.id) go(address("wall", next.id));
    };
    const key = (event: KeyboardEvent): void => {
      if (event.target instanceof Element && event.target.closest("input, select, textarea, dialog") !== null) return;
      if (event.key === "Escape") go(address("wall"));
      if (event.key === "ArrowRight") step(1);
      if (event.key === "ArrowLeft") step(-1);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [camera.id]);
  // Set by the CSSOM: how wide the picture may be depends on its shape.
  useEffect(() => box.current?.style.setProperty("--aspect", String(aspect)), [aspect]);
  const mine = newest.value.filter((row) => row.last.camera === camera.id);
  const going = open.value.filter((row) => row.last.camera === camera.id);
  const over = mine.filter((row) => row.ended_at !== null).slice(0, RECENT);
  return (
    <div class="large">
      {plain && <PlainPicture camera={camera.id} name={camera.name} close={() => setPlain(false)} />}
      <div class="stage" ref={box}>
        <div class="bar">
          <a class="button plain square" href={address("wall")} title={w.act.back}>
            <Icon name="back" />
            <span class="hidden">{w.act.back}</span>
          </a>
          <h1>{camera.name}</h1>
          <Health camera={camera} />
          <span class="grow" />
          {may("plain") && good && (
            <button type="button" onClick={() => setPlain(true)}>
              <Icon name="eye" />
              {w.wall.plain.title}
            </button>
          )}
          <a class="button" href={address("camera", camera.id)}>
            <Icon name="zone" />
            {w.wall.editZones}
          </a>
        </div>
        <div class="view">
          <LivePicture key={camera.id} camera={camera.id} label={camera.name} aspect={setAspect} />
          <Overlay camera={camera} />
        </div>
        {good && (
          <p class="facts">
            <span>{`${fixed(camera.rate, 1)} ${w.unit.perSecond}`}</span>
            <span>{`${w.wall.age} ${millis(camera.frame_age_ms)}`}</span>
            <span>{`${w.wall.analysed} ${number(camera.analysed)}`}</span>
            <span>{`${w.wall.dropped} ${number(camera.dropped)}`}</span>
          </p>
        )}
      </div>
      <aside class="feed">
        <div class="big">
          <b>{good ? number(camera.people) : "–"}</b>
          <span>{w.wall.inView}</span>
        </div>
        {camera.zones.length > 0 && (
          <table class="plain-table">
            <caption>{w.wall.zones}</caption>
            <tbody>
              {camera.zones.map((zone) => (
                <tr key={zone.id}>
                  <th scope="row">{zone.name}</th>
                  <td class="number">{good ? number(zone.people) : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {camera.lines.length > 0 && (
          <table class="plain-table">
            <caption>{`${w.wall.lines} · ${w.wall.crossings}`}</caption>
            <tbody>
              {camera.lines.map((line) => {
                const [left, right] = [line.left ?? w.wall.left, line.right ?? w.wall.right];
                return [
                  <tr key={line.id}>
                    <th scope="row">{`${line.name}: ${left} → ${right}`}</th>
                    <td class="number">{number(line.left_to_right)}</td>
                  </tr>,
                  <tr key={`${line.id}-back`}>
                    <th scope="row">{`${line.name}: ${right} → ${left}`}</th>
                    <td class="number">{number(line.right_to_left)}</td>
                  </tr>,
                ];
              })}
            </tbody>
          </table>
        )}
        {snoozes(camera) > 0 && <p class="small snoozed">{w.wall.snoozed(snoozes(camera))}</p>}
        <Rests camera={camera} />
        <h2>{w.wall.openAlerts}</h2>
        {going.length === 0 && (
          <p class="calm">
            <Icon name="check" />
            {w.wall.nothingOpen}
          </p>
        )}
        {going.map((row) => (
          <AlertLine key={row.alert} row={row} href={address("alerts", row.alert)} now={now.value} />
        ))}
        {over.length > 0 && <h2 class="quiet">{w.wall.recent}</h2>}
        {over.map((row) => (
          <AlertLine key={row.alert} row={row} href={address("alerts", row.alert)} now={now.value} />
        ))}
      </aside>
    </div>
  );
}
