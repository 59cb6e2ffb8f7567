/** A camera that there is not yet: where its pictures come from. Zones and rules are drawn once it is there. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { KINDS, NOBODY, fieldOf, pasted, tomlOf, wrongs } from "../adding/newcomer";
import type { FieldName, Newcomer } from "../adding/newcomer";
import { AddressHint, Credentials, ENTRIES, Field, Verdict } from "../adding/parts";
import type { Entry } from "../adding/parts";
import { Past } from "../adding/past";
import { api, LONGEST_REASON } from "../api";
import { ApiError } from "../api/client";
import type { Fault } from "../api/types";
import { cameras } from "../live/cameras";
import { address, go, guardLeave } from "../route";
import { Icon } from "../ui/icons";
import { note } from "../ui/notes";
import { ErrorNote, Faults } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { t } from "../words";

/** The server is asked once nothing was typed for so long, milliseconds. */
const PAUSE = 400;

/** The value as it was when it last rested. */
function useRested<T>(value: T, pause: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return rested;
}

export function AddPage() {
  const w = t();
  const [camera, setCamera] = useState<Newcomer>(NOBODY);
  const [reason, setReason] = useState("");
  /** What was left once, or all after a try: before that nobody is told that something is missing. */
  const [left, setLeft] = useState<readonly Entry[]>([]);
  /** An id that the server has refused, of a camera or file that this page does not see. */
  const [refused, setRefused] = useState<string[]>([]);
  const form = useRef<HTMLFormElement>(null);
  const act = useAct();

  const id = camera.id.trim();
  const found = wrongs(camera, [...(cameras.value ?? []).map((c) => c.id), ...refused]);
  const complete = Object.keys(found).length === 0;
  const toml = tomlOf(camera);
  const asked = useRested(complete ? toml : null, PAUSE);
  const free = useRested(found.id === undefined ? id : null, PAUSE);
  const check = useAsked(asked, (signal) => api.check(id, { toml: asked ?? "" }, signal));
  const checked = asked === toml && complete ? check.data : null;
  const refusal = act.error instanceof ApiError ? act.error.faults : [];
  const told: Fault[] = refusal.length > 0 ? refusal : (checked?.faults ?? []);
  const elsewhere = told.filter((fault) => fieldOf(fault) === null);

  // Whoever looks over a shoulder need not see twice what does not belong there.
  const preview = camera === NOBODY ? "" : tomlOf(found.address === "credentials" ? { ...camera, address: "" } : camera);
  const unexplained = reason.trim() === "";
  const touched = camera !== NOBODY || reason !== "";
  useEffect(() => {
    guardLeave(touched ? () => confirm(t().adding.leave) : null);
    return () => guardLeave(null);
  }, [touched]);

  useEffect(() => form.current?.querySelector<HTMLInputElement>("[name=id]")?.focus(), []);

  const change = (next: Partial<Newcomer>): void => {
    act.clear();
    setCamera((now) => ({ ...now, ...next }));
  };
  const leave = (field: Entry): void => setLeft((now) => (now.includes(field) || camera === NOBODY ? now : [...now, field]));
  /** What is wrong with a field, as it is shown. */
  const remark = (field: FieldName): ComponentChildren => {
    const word = found[field];
    if (word !== undefined) return word === "taken" || left.includes(field) ? w.adding.wrong[word] : null;
    const faults = told.filter((fault) => fieldOf(fault) === field);
    if (faults.length === 0) return null;
    return (
      <>
        {field === "address" && camera.kind === "file" ? w.adding.wrong.file : w.adding.refused}{" "}
        {faults.map((fault) => (
          <code key={fault.message} lang="en">
            {fault.message}
          </code>
        ))}
      </>
    );
  };
  const toFirst = (wrong: readonly Entry[]): void => {
    const first = ENTRIES.find((field) => wrong.includes(field));
    if (first !== undefined) form.current?.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
  };
  const toFaults = (faults: readonly Fault[]): void => toFirst(faults.map(fieldOf).filter((field) => field !== null));
  const save = (event: Event): void => {
    event.preventDefault();
    setLeft(ENTRIES);
    if (!complete || unexplained) {
      toFirst(complete ? ["reason"] : (Object.keys(found) as FieldName[]));
      return;
    }
    if (checked !== null && checked.faults.length > 0) {
      // What stood in the way may be gone by now.
      check.again();
      toFaults(checked.faults);
      return;
    }
    act.run(async () => {
      try {
        await api.create(id, toml, reason.trim());
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status !== 412) {
          toFaults(error.faults);
          throw error;
        }
        setRefused((ids) => [...ids, id]);
        toFirst(["id"]);
        return;
      }
      arrive(id, t().adding.added);
    });
  };
  const arrive = (camera: string, words: string): void => {
    guardLeave(null);
    note(words);
    go(address("camera", camera));
  };

  return (
    <div class="page adding">
      <header class="page-head">
        <a class="button plain square" href={address("wall")} title={w.act.back}>
          <Icon name="back" />
          <span class="hidden">{w.act.back}</span>
        </a>
        <h1>{w.adding.title}</h1>
        <span class="soft">{w.adding.about}</span>
      </header>
      <div class="columns">
        <form class="card" ref={form} noValidate onSubmit={save}>
          <div class="two">
            <Field name="id" label={w.adding.id} hint={w.adding.idHint} wrong={remark("id")}>
              {(props) => <input {...props} required maxLength={64} spellcheck={false} autocomplete="off" value={camera.id} onInput={(e) => change({ id: e.currentTarget.value })} onBlur={() => leave("id")} />}
            </Field>
            <Field name="name" label={w.adding.name} hint={w.adding.nameHint} wrong={remark("name")}>
              {(props) => <input {...props} maxLength={200} autocomplete="off" value={camera.name} onInput={(e) => change({ name: e.currentTarget.value })} onBlur={() => leave("name")} />}
            </Field>
          </div>
          <fieldset class="choices">
            <legend>{w.adding.source}</legend>
            {KINDS.map((kind) => (
              <label key={kind}>
                <input type="radio" name="kind" value={kind} checked={camera.kind === kind} onChange={() => change({ kind })} />
                <span>{w.adding.kind[kind]}</span>
              </label>
            ))}
          </fieldset>
          <Field name="address" label={w.adding.address[camera.kind]} hint={<AddressHint kind={camera.kind} />} wrong={remark("address")}>
            {(props) => (
              <input
                {...props}
                required
                maxLength={1000}
                spellcheck={false}
                autocomplete="off"
                value={camera.address}
                onInput={(e) => {
                  const text = e.currentTarget.value;
                  change(pasted(text) ?? { address: text });
                }}
                onBlur={() => leave("address")}
              />
            )}
          </Field>
          {camera.kind === "file" && (
            <label class="switch">
              <input type="checkbox" name="loop" checked={camera.loop} onChange={(e) => change({ loop: e.currentTarget.checked })} />
              <span>{w.adding.loop}</span>
            </label>
          )}
          {camera.kind === "stream" && <Credentials id={id} />}
          <Field name="rate" label={w.adding.rate} hint={w.adding.rateHint} wrong={remark("rate")}>
            {(props) => <input {...props} class="short" inputMode="decimal" maxLength={12} autocomplete="off" value={camera.rate} onInput={(e) => change({ rate: e.currentTarget.value })} onBlur={() => leave("rate")} />}
          </Field>
          <Field name="reason" label={w.adding.reason} hint={w.adding.reasonHint} wrong={unexplained && left.includes("reason") ? w.adding.wrong.missing : null}>
            {(props) => <input {...props} required maxLength={LONGEST_REASON} autocomplete="off" value={reason} onInput={(e) => setReason(e.currentTarget.value)} onBlur={() => leave("reason")} />}
          </Field>
          {act.error !== null && told.length === 0 && <ErrorNote error={act.error} />}
          <p class="actions">
            <button type="submit" class="primary" disabled={act.busy}>
              {w.adding.save}
            </button>
            <a class="button plain" href={address("wall")}>
              {w.act.cancel}
            </a>
          </p>
        </form>
        <section class="card written">
          <h2>{w.adding.written}</h2>
          <pre translate={false}>{preview}</pre>
          <Verdict checked={checked !== null} faults={told.length} pending={complete && check.error === null} />
          {elsewhere.length > 0 && <Faults faults={elsewhere} />}
          {checked !== null && checked.warnings.length > 0 && <Faults faults={checked.warnings} />}
          {check.error !== null && complete && <ErrorNote error={check.error} retry={check.again} />}
        </section>
        {free !== null && free === id && (
          <Past
            key={free}
            id={free}
            reason={reason.trim()}
            ask={() => {
              leave("reason");
              toFirst(["reason"]);
            }}
            back={() => arrive(free, t().adding.past.done)}
          />
        )}
      </div>
    </div>
  );
}
