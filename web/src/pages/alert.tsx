/** One alert: what happened, what it looked like, who was told, what was answered. */

import { useEffect } from "preact/hooks";

import { api, evidenceAddress } from "../api";
import type { AlertEvent, Delivery, Story } from "../api/types";
import { HEALTH } from "../api/types";
import { touched } from "../live/alerts";
import { cameraName } from "../live/cameras";
import { address } from "../route";
import { SeverityTag, sentenceOf } from "../ui/alert";
import { AnswerForm } from "../ui/answer";
import { Icon } from "../ui/icons";
import { now } from "../ui/now";
import { ErrorNote } from "../ui/problem";
import { SnoozeForm } from "../ui/snooze";
import { useAsked } from "../ui/use";
import { ValueChart } from "../ui/values";
import { lasting, longMoment, measured, moment, t } from "../words";

export function AlertDetail({ alert, back }: { alert: string; back: string }) {
  const w = t();
  const story = useAsked(alert, (signal) => api.story(alert, signal));
  const files = useAsked(`files ${alert}`, (signal) => api.files(alert, signal));
  useEffect(() => {
    if (touched.value.alert !== alert) return;
    story.again();
    files.again();
  }, [touched.value.n]);
  if (story.data === null) {
    return story.error === null ? <p class="blank">{w.app.loading}</p> : <ErrorNote error={story.error} retry={story.again} />;
  }
  const last = story.data.events[story.data.events.length - 1];
  if (last === undefined) return <p class="blank">{w.error.missing}</p>;
  const names = files.data?.map((file) => file.name) ?? [];
  return (
    <article class="story">
      <Head story={story.data} last={last} back={back} />
      <div class="columns">
        <div>
          <Media alert={alert} last={last} names={names} />
          <ValueChart events={story.data.events} />
        </div>
        <div>
          <AnswerForm alert={alert} story={story.data} done={story.again} />
          {last.rule !== null && last.camera !== null && !HEALTH.some((health) => health === last.kind) && <SnoozeForm camera={last.camera} rule={last.rule} />}
          <Deadlines story={story.data} />
          <Facts last={last} />
        </div>
      </div>
      <Events events={story.data.events} />
      <Deliveries rows={story.data.deliveries} />
    </article>
  );
}

function Head({ story, last, back }: { story: Story; last: AlertEvent; back: string }) {
  const w = t();
  const started = last.started_at ?? story.events[0]?.at ?? last.at;
  const end = story.events.find((event) => event.state === "ended");
  const length = ((end === undefined ? now.value : Date.parse(end.at)) - Date.parse(started)) / 1000;
  const other = w.code === "zh" ? last.text.en : last.text.zh;
  return (
    <header class={`story-head ${last.severity ?? "minor"}`}>
      <p class="first">
        <a class="button plain square back" href={back} title={w.act.back}>
          <Icon name="back" />
          <span class="hidden">{w.act.back}</span>
        </a>
        <SeverityTag severity={last.severity} />
        <b>{w.kind[last.kind]}</b>
        {last.test === true && <span class="tag test">{w.alerts.test}</span>}
        {end === undefined ? <span class="tag now">{w.alerts.now}</span> : null}
        <span class="grow" />
        <span class="soft">{end === undefined ? w.alerts.since(lasting(length)) : w.alerts.lasted(lasting(length))}</span>
      </p>
      <h1>{sentenceOf(last)}</h1>
      <p class="other" lang={w.otherCode}>
        {other}
      </p>
      <p class="soft">
        {longMoment(started)}
        {end?.reason !== undefined && end.reason !== null && ` · ${w.reason[end.reason]}`}
      </p>
    </header>
  );
}

function Media({ alert, last, names }: { alert: string; last: AlertEvent; names: string[] }) {
  const w = t();
  const stills = names.filter((name) => name.endsWith(".jpg"));
  const clip = names.find((name) => name.endsWith(".mp4"));
  const missing = (state: AlertEvent["evidence"]["picture"]): string | null =>
    state === "pending" ? w.alerts.pending : state === "failed" ? w.alerts.failed : state === "ready" ? w.alerts.gone : null;
  const still = missing(last.evidence.picture);
  const film = missing(last.evidence.clip);
  if (stills.length === 0 && clip === undefined && still === null && film === null) return null;
  return (
    <div class="media">
      {clip !== undefined && <video src={evidenceAddress(alert, clip)} poster={stills[0] === undefined ? undefined : evidenceAddress(alert, stills[0])} controls muted loop playsInline aria-label={w.alerts.clip} />}
      {clip === undefined && film !== null && <p class="soft">{`${w.alerts.clip}: ${film}`}</p>}
      <div class={clip === undefined ? "stills first" : "stills"}>
        {stills.map((name) => (
          <a key={name} href={evidenceAddress(alert, name)} target="_blank" rel="noreferrer">
            <img src={evidenceAddress(alert, name)} alt={w.alerts.picture} loading="lazy" />
          </a>
        ))}
      </div>
      {stills.length === 0 && still !== null && <p class="soft">{`${w.alerts.picture}: ${still}`}</p>}
    </div>
  );
}

function Facts({ last }: { last: AlertEvent }) {
  const w = t();
  const camera = last.camera === null ? w.alerts.site : (last.camera_name ?? cameraName(last.camera));
  const least = last.saturated ? `${w.alerts.atLeast} ` : "";
  const rows: [string, preact.ComponentChildren][] = [
    [w.alerts.cameraWord, last.camera === null ? camera : <a href={address("camera", last.camera)}>{camera}</a>],
    [w.alerts.zone, last.zone_name ?? last.zone],
    [w.alerts.line, last.line],
    [w.alerts.rule, last.rule],
    [w.alerts.grid, last.grid],
    [w.alerts.value, `${least}${measured(last.value, last.unit)}`],
    [w.alerts.peak, `${least}${measured(last.peak, last.unit)}`],
    [w.alerts.threshold, measured(last.threshold, last.unit)],
  ];
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      {last.related.length > 0 && (
        <div>
          <dt>{w.alerts.related}</dt>
          <dd>
            {last.related.map((id) => (
              <a key={id} href={address("alerts", id)}>
                {`${id.slice(0, 8)} `}
              </a>
            ))}
          </dd>
        </div>
      )}
    </dl>
  );
}

function Deadlines({ story }: { story: Story }) {
  const w = t();
  if (story.routes.every((route) => route.deadline === null)) return null;
  return (
    <section>
      <h2>{w.alerts.routes}</h2>
      <ul class="routes">
        {story.routes.map((route) => (
          <li key={route.route} class={route.state}>
            <b>{route.route}</b>
            <span>{w.alerts.routeState[route.state]}</span>
            {route.deadline !== null && <span class="soft">{w.alerts.due(moment(route.deadline))}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Events({ events }: { events: AlertEvent[] }) {
  const w = t();
  return (
    <section>
      <h2>{w.alerts.events}</h2>
      <ol class="events">
        {events.map((event) => (
          <li key={event.seq} class={event.severity ?? "minor"}>
            <time datetime={event.at}>{moment(event.at)}</time>
            <b>{w.state[event.state]}</b>
            <span>{sentenceOf(event)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Deliveries({ rows }: { rows: Delivery[] }) {
  const w = t();
  const of = (row: Delivery): string => {
    const next = row.due_at === null ? "" : ` · ${w.alerts.next(moment(row.due_at))}`;
    return row.settled_at === null ? `${w.alerts.attempts(row.attempts)}${next}` : moment(row.settled_at);
  };
  return (
    <section>
      <h2>{w.alerts.deliveries}</h2>
      {rows.length === 0 ? (
        <p class="soft">{w.alerts.noDeliveries}</p>
      ) : (
        <div class="scroll">
          <table class="data">
            <tbody>
              {rows.map((row) => (
                <tr key={`${row.sink}.${row.seq}`}>
                  <th scope="row">{row.sink}</th>
                  <td class="number soft">{row.seq}</td>
                  <td>
                    <span class={`outcome ${row.outcome}`}>{w.alerts.outcome[row.outcome]}</span>
                  </td>
                  <td class="soft">{of(row)}</td>
                  <td>{row.error === null ? null : <code lang="en">{row.error}</code>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
