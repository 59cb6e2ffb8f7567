/** Snoozing a rule until a time. It re-arms by itself and is seen meanwhile. */

import { useState } from "preact/hooks";

import { api } from "../api";
import { may } from "../session";
import { lasting, moment, t } from "../words";
import { Actions } from "./dialog";
import { Icon } from "./icons";
import { note } from "./notes";
import { ErrorNote } from "./problem";
import { useAct, useAsked } from "./use";

const MINUTES = [15, 60, 240, 720];

export function SnoozeForm({ camera, rule }: { camera: string; rule: string }) {
  const w = t();
  const snoozes = useAsked(may("see") ? "snoozes" : null, () => api.snoozes());
  const [shown, setShown] = useState(false);
  const [minutes, setMinutes] = useState(60);
  const [reason, setReason] = useState("");
  const act = useAct();
  const current = snoozes.data?.find((snooze) => snooze.camera === camera && snooze.rule === rule);
  if (!may("snooze") && current === undefined) return null;
  const submit = (event: Event): void => {
    event.preventDefault();
    act.run(async () => {
      const until = new Date(Date.now() + minutes * 60_000).toISOString();
      await api.snooze(camera, rule, until, reason);
      setShown(false);
      snoozes.again();
      note(w.alerts.snooze.done(moment(until)));
    });
  };
  return (
    <section class="snoozing">
      {current !== undefined && (
        <p class="snoozed">
          <Icon name="snooze" />
          <span>{w.alerts.snooze.active(moment(current.until), current.who)}</span>
          {may("snooze") && (
            <button
              type="button"
              disabled={act.busy}
              onClick={() =>
                act.run(async () => {
                  await api.wake(camera, rule);
                  snoozes.again();
                })
              }
            >
              {w.alerts.snooze.wake}
            </button>
          )}
        </p>
      )}
      {current === undefined && !shown && (
        <button type="button" class="plain" onClick={() => setShown(true)}>
          <Icon name="snooze" />
          {w.alerts.snooze.title}
        </button>
      )}
      {shown && (
        <form onSubmit={submit}>
          <h2>{w.alerts.snooze.title}</h2>
          <div class="segments wide" role="group" aria-label={w.alerts.snooze.until}>
            {MINUTES.map((each) => (
              <button key={each} type="button" aria-pressed={minutes === each} onClick={() => setMinutes(each)}>
                {lasting(each * 60)}
              </button>
            ))}
          </div>
          <label class="field">
            <span>{w.alerts.snooze.reason}</span>
            <input required maxLength={200} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
          </label>
          <p class="small soft">{w.alerts.snooze.hint}</p>
          <Actions busy={act.busy} close={() => setShown(false)}>
            {w.alerts.snooze.do}
          </Actions>
        </form>
      )}
      {act.error !== null && <ErrorNote error={act.error} />}
    </section>
  );
}
