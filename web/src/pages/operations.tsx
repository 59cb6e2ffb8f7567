/** How cameras, stages and receivers are; what is snoozed or quiet; what is wrong with the files on disk. */

import { useState } from "preact/hooks";

import { AddCamera } from "../adding/parts";
import { api } from "../api";
import type { Operations } from "../api/types";
import { cameraName } from "../live/cameras";
import { address } from "../route";
import { may } from "../session";
import { note } from "../ui/notes";
import { now } from "../ui/now";
import { ErrorNote, Faults } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { bytes, fixed, lasting, millis, moment, number, t } from "../words";

const EVERY = 2_000;

export function OperationsPage() {
  const w = t();
  const found = useAsked("operations", (signal) => api.operations(signal), EVERY);
  return (
    <div class="page">
      <header class="page-head">
        <h1>{w.ops.title}</h1>
        <span class="grow" />
        {found.data !== null && (
          <span class="soft">
            {`${w.ops.disk} ${bytes(found.data.disk_free_bytes)} · ${w.ops.build} ${found.data.build.version}`}
          </span>
        )}
      </header>
      {found.error !== null && <ErrorNote error={found.error} retry={found.again} />}
      {(found.data?.restart.length ?? 0) > 0 && <p class="notice">{w.ops.restart(found.data?.restart.join(", ") ?? "")}</p>}
      {found.data !== null && (
        <div class="cards">
          <Cameras now={found.data} />
          <Sinks now={found.data} again={found.again} />
          <Stages now={found.data} />
          <Machine now={found.data} />
        </div>
      )}
      <div class="cards">
        <Snoozes />
        <Quiet />
        <SiteCheck />
      </div>
    </div>
  );
}

function dash(value: number | null, write: (v: number) => string): string {
  return value === null ? "–" : write(value);
}

function Cameras({ now: { cameras } }: { now: Operations }) {
  const w = t();
  return (
    <section class="card wide">
      <header class="padded">
        <h2>{w.ops.cameras}</h2>
        <span class="grow" />
        {may("edit_source") && <AddCamera />}
      </header>
      <div class="scroll">
        <table class="data">
          <thead>
            <tr>
              <th>{w.ops.camera}</th>
              <th>{w.ops.state}</th>
              {[w.ops.rate, w.ops.age50, w.ops.age99, w.ops.analysed, w.ops.dropped, w.ops.reconnects].map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cameras.map((camera) => (
              <tr key={camera.id}>
                <th scope="row">
                  <a href={address("wall", camera.id)}>{cameraName(camera.id)}</a>
                </th>
                <td>
                  <span class={`health ${camera.state === "online" ? "good" : camera.state === "offline" ? "bad" : "wait"}`}>
                    <i class="dot" />
                    {w.camera[camera.state]}
                  </span>
                </td>
                <td class="number">{`${fixed(camera.rate, 1)} ${w.unit.perSecond}`}</td>
                <td class="number">{dash(camera.age_p50_ms, millis)}</td>
                <td class="number">{dash(camera.age_p99_ms, millis)}</td>
                <td class="number">{number(camera.analysed)}</td>
                <td class="number">{number(camera.dropped)}</td>
                <td class="number">{number(camera.reconnects)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Sinks({ now: { sinks }, again }: { now: Operations; again: () => void }) {
  const w = t();
  const act = useAct();
  const [dead, setDead] = useState(false);
  const anyDead = sinks.some((sink) => sink.dead > 0);
  return (
    <section class="card wide">
      <header class="padded">
        <h2>{w.ops.sinks}</h2>
        <span class="grow" />
        {anyDead && (
          <button type="button" class="plain" aria-expanded={dead} onClick={() => setDead(!dead)}>
            {w.ops.showDead}
          </button>
        )}
        {may("answer") && anyDead && (
          <button
            type="button"
            disabled={act.busy}
            onClick={() =>
              act.run(async () => {
                await api.redeliver(null);
                note(w.ops.resent);
                again();
              })
            }
          >
            {w.ops.resendAll}
          </button>
        )}
        {may("answer") && (
          <button
            type="button"
            disabled={act.busy}
            onClick={() =>
              act.run(async () => {
                await api.testAlert();
                note(w.ops.testSent);
              })
            }
          >
            {w.ops.test}
          </button>
        )}
      </header>
      {act.error !== null && <ErrorNote error={act.error} />}
      <div class="scroll">
        <table class="data">
          <thead>
            <tr>
              <th>{w.ops.sink}</th>
              <th>{w.ops.kind}</th>
              {[w.ops.pending, w.ops.oldest, w.ops.delivered, w.ops.dead, w.ops.skipped].map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sinks.map((sink) => (
              <tr key={sink.id}>
                <th scope="row">{sink.id}</th>
                <td>{w.ops.sinkKind[sink.kind] ?? sink.kind}</td>
                <td class={`number ${sink.pending > 0 ? "warm" : ""}`}>{number(sink.pending)}</td>
                <td class="number">{sink.pending === 0 ? "–" : lasting(sink.oldest_s)}</td>
                <td class="number">{number(sink.delivered)}</td>
                <td class={`number ${sink.dead > 0 ? "bad" : ""}`}>{number(sink.dead)}</td>
                <td class="number">{number(sink.skipped)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {dead && <DeadLetters />}
    </section>
  );
}

function DeadLetters() {
  const w = t();
  const act = useAct();
  const found = useAsked("dead", () => api.deliveries("dead"));
  if (found.error !== null) return <ErrorNote error={found.error} retry={found.again} />;
  return (
    <div class="scroll">
      {act.error !== null && <ErrorNote error={act.error} />}
      <table class="data">
        <tbody>
          {(found.data?.deliveries ?? []).map((row) => (
            <tr key={`${row.alert}.${row.seq}.${row.sink}`}>
              <th scope="row">{row.sink}</th>
              <td>
                <a href={address("alerts", row.alert)}>{`${row.alert.slice(0, 8)}.${row.seq}`}</a>
              </td>
              <td class="soft">{moment(row.queued_at)}</td>
              <td>{row.error === null ? null : <code lang="en">{row.error}</code>}</td>
              <td class="number">
                {may("answer") && (
                  <button
                    type="button"
                    class="plain"
                    disabled={act.busy}
                    onClick={() =>
                      act.run(async () => {
                        await api.redeliver(row.alert);
                        note(w.ops.resent);
                        found.again();
                      })
                    }
                  >
                    {w.ops.resend}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Stages({ now: { stages } }: { now: Operations }) {
  const w = t();
  return (
    <section class="card">
      <h2 class="padded">{w.ops.stages}</h2>
      <table class="data">
        <thead>
          <tr>
            <th>{w.ops.stage}</th>
            <th class="number">{w.ops.p50}</th>
            <th class="number">{w.ops.p99}</th>
            <th class="number">{w.ops.heartbeat}</th>
          </tr>
        </thead>
        <tbody>
          {stages.map((stage) => (
            <tr key={stage.stage}>
              <th scope="row">{w.ops.stageName[stage.stage] ?? stage.stage}</th>
              <td class="number">{dash(stage.p50_ms, short)}</td>
              <td class="number">{dash(stage.p99_ms, short)}</td>
              <td class="number">{stage.heartbeat === null ? "–" : lasting(Math.round((now.value - Date.parse(stage.heartbeat)) / 1000))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function short(ms: number): string {
  return ms < 10 ? `${fixed(ms, 2)} ${t().unit.ms}` : millis(ms);
}

function Machine({ now: { queues, models } }: { now: Operations }) {
  const w = t();
  const lost = queues.filter((queue) => queue.overflow > 0);
  return (
    <section class="card">
      <h2 class="padded">{w.ops.models}</h2>
      <table class="data">
        <thead>
          <tr>
            <th>{w.ops.model}</th>
            <th>{w.ops.providers}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.id}>
              <th scope="row">{model.id}</th>
              <td>{model.providers.map((p) => p.toUpperCase()).join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h2 class="padded">{w.ops.queues}</h2>
      {lost.length === 0 ? (
        <p class="padded soft">{w.ops.noOverflow}</p>
      ) : (
        <table class="data">
          <thead>
            <tr>
              <th>{w.ops.queue}</th>
              <th class="number">{w.ops.overflow}</th>
            </tr>
          </thead>
          <tbody>
            {lost.map((queue) => (
              <tr key={queue.queue}>
                <th scope="row" translate={false}>
                  {queue.queue}
                </th>
                <td class="number bad">{number(queue.overflow)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Snoozes() {
  const w = t();
  const act = useAct();
  const found = useAsked("snoozes", () => api.snoozes(), EVERY * 5);
  return (
    <section class="card">
      <h2 class="padded">{w.ops.snoozes}</h2>
      {found.error !== null && <ErrorNote error={found.error} retry={found.again} />}
      {act.error !== null && <ErrorNote error={act.error} />}
      {found.data?.length === 0 && <p class="padded soft">{w.ops.noSnoozes}</p>}
      <table class="data">
        <tbody>
          {(found.data ?? []).map((snooze) => (
            <tr key={`${snooze.camera}.${snooze.rule}`}>
              <th scope="row">{`${cameraName(snooze.camera)} · ${snooze.rule}`}</th>
              <td>{`${w.ops.until} ${moment(snooze.until)}`}</td>
              <td class="soft">{`${snooze.who} · ${snooze.reason}`}</td>
              <td class="number">
                {may("snooze") && (
                  <button
                    type="button"
                    class="plain"
                    disabled={act.busy}
                    onClick={() =>
                      act.run(async () => {
                        await api.wake(snooze.camera, snooze.rule);
                        found.again();
                      })
                    }
                  >
                    {w.alerts.snooze.wake}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Quiet() {
  const w = t();
  const act = useAct();
  const found = useAsked("quiet", () => api.quiet(), EVERY * 10);
  return (
    <section class="card">
      <h2 class="padded">{w.ops.quiet}</h2>
      {found.error !== null && <ErrorNote error={found.error} retry={found.again} />}
      {act.error !== null && <ErrorNote error={act.error} />}
      {found.data?.length === 0 ? <p class="padded soft">{w.ops.noQuiet}</p> : <p class="padded small soft">{w.ops.quietAbout}</p>}
      <table class="data">
        <tbody>
          {(found.data ?? []).map((spot) => (
            <tr key={spot.id}>
              <th scope="row">{cameraName(spot.camera)}</th>
              <td>
                <a href={address("alerts", spot.alert)}>{`${w.ops.alert} ${spot.alert.slice(0, 8)}`}</a>
              </td>
              <td class="soft">{`${moment(spot.made_at)} · ${spot.made_by}`}</td>
              <td class="number">
                {may("answer") && (
                  <button
                    type="button"
                    class="plain"
                    disabled={act.busy}
                    onClick={() =>
                      act.run(async () => {
                        await api.releaseQuiet(spot.id);
                        found.again();
                      })
                    }
                  >
                    {w.ops.release}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function SiteCheck() {
  const w = t();
  const found = useAsked("check", () => api.siteCheck());
  const good = found.data !== null && found.data.faults.length === 0 && found.data.warnings.length === 0;
  return (
    <section class="card">
      <header class="padded">
        <h2>{w.ops.check}</h2>
        <span class="grow" />
        <button type="button" class="plain" disabled={found.loading} onClick={found.again}>
          {w.act.refresh}
        </button>
      </header>
      <div class="padded">
        {found.error !== null && <ErrorNote error={found.error} retry={found.again} />}
        {good && <p class="soft">{w.ops.checkGood}</p>}
        {(found.data?.faults.length ?? 0) > 0 && (
          <>
            <h3 class="bad">{w.ops.fault}</h3>
            <Faults faults={found.data?.faults ?? []} />
          </>
        )}
        {(found.data?.warnings.length ?? 0) > 0 && (
          <>
            <h3>{w.ops.warning}</h3>
            <Faults faults={found.data?.warnings ?? []} />
          </>
        )}
      </div>
    </section>
  );
}
