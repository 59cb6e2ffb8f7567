/** A camera that there is not yet: where its pictures come from. Zones and rules are drawn once it is there. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import { FIELDS, KINDS, NOBODY, SCHEMES, fieldOf, pasted, tomlOf, variables, wrongs } from "../adding/newcomer";
import type { FieldName, Newcomer, SourceKind } from "../adding/newcomer";
import { api } from "../api";
import { ApiError } from "../api/client";
import type { Fault } from "../api/types";
import { cameras } from "../live/cameras";
import { address, go, guardLeave } from "../route";
import { Icon } from "../ui/icons";
import { note } from "../ui/notes";
import { ErrorNote, Faults } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { t } from "../words";

const LONGEST_REASON = 200;
/** The server is asked once nothing was typed for so long, milliseconds. */
const PAUSE = 400;
const EXAMPLES: Record<SourceKind, string> = { stream: "rtsp://10.0.0.8/stream1", device: "/dev/video0", file: "gate.mp4" };

type Entry = FieldName | "reason";
const ENTRIES: readonly Entry[] = [...FIELDS, "reason"];

/** The way here, for whoever may. */
export function AddCamera() {
  return (
    <a class="button" href={address("add")}>
      <Icon name="plus" />
      {t().adding.title}
    </a>
  );
}

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
  const check = useAsked(asked, (signal) => api.check(id, { toml: asked ?? "" }, signal));
  const checked = asked === toml && complete ? check.data : null;
  const told: Fault[] = [...(checked?.faults ?? []), ...(act.error instanceof ApiError ? act.error.faults : [])];
  const elsewhere = told.filter((fault) => fieldOf(fault) === null);

  const unexplained = reason.trim() === "";
  const touched = camera !== NOBODY || reason !== "";
  useEffect(() => {
    guardLeave(touched ? () => confirm(t().adding.leave) : null);
    return () => guardLeave(null);
  }, [touched]);

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
  const save = (event: Event): void => {
    event.preventDefault();
    setLeft(ENTRIES);
    if (!complete || unexplained) {
      toFirst(complete ? ["reason"] : (Object.keys(found) as FieldName[]));
      return;
    }
    act.run(async () => {
      const { faults } = await api.check(id, { toml });
      if (faults.length > 0) {
        check.again();
        toFirst(faults.map(fieldOf).filter((field) => field !== null));
        return;
      }
      try {
        await api.create(id, toml, reason.trim());
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 412)) throw error;
        setRefused((ids) => [...ids, id]);
        toFirst(["id"]);
        return;
      }
      guardLeave(null);
      note(t().adding.added);
      go(address("camera", id));
    });
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
              {(props) => <input {...props} autofocus required maxLength={64} spellcheck={false} autocomplete="off" value={camera.id} onInput={(e) => change({ id: e.currentTarget.value })} onBlur={() => leave("id")} />}
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
          <Field name="reason" label={w.editor.reason} hint={w.adding.reasonHint} wrong={unexplained && left.includes("reason") ? w.adding.wrong.missing : null}>
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
          <pre translate={false}>{id === "" && camera.address.trim() === "" ? "" : toml}</pre>
          <Verdict checked={checked !== null} faults={told.length} pending={complete && check.error === null} />
          {elsewhere.length > 0 && <Faults faults={elsewhere} />}
          {checked !== null && checked.warnings.length > 0 && <Faults faults={checked.warnings} />}
          {check.error !== null && complete && <ErrorNote error={check.error} retry={check.again} />}
        </section>
      </div>
    </div>
  );
}

/** What the server thinks of it so far. */
function Verdict({ checked, faults, pending }: { checked: boolean; faults: number; pending: boolean }) {
  const w = t();
  if (checked && faults === 0) {
    return (
      <p class="calm" role="status">
        <Icon name="check" />
        {w.editor.checked}
      </p>
    );
  }
  if (faults > 0) {
    return (
      <p class="calm bad" role="status">
        <Icon name="warn" />
        {w.editor.faults(faults)}
      </p>
    );
  }
  return (
    <p class="calm" role="status">
      {pending ? w.adding.checking : w.adding.unchecked}
    </p>
  );
}

function AddressHint({ kind }: { kind: SourceKind }) {
  const w = t();
  return (
    <>
      {w.adding.example[kind]} <code>{EXAMPLES[kind]}</code>
      {kind === "stream" && (
        <>
          {". "}
          {w.adding.begins}{" "}
          {SCHEMES.map((scheme) => (
            <code key={scheme}>{scheme}</code>
          ))}
        </>
      )}
    </>
  );
}

function Credentials({ id }: { id: string }) {
  const w = t();
  return (
    <section class="credentials">
      <h2>{w.adding.credentials}</h2>
      <p>{w.adding.notHere}</p>
      <p>
        {variables(id === "" ? "<id>" : id).map((name) => (
          <code key={name} translate={false}>
            {name}
          </code>
        ))}
      </p>
      <p class="soft">{w.adding.neither}</p>
    </section>
  );
}

interface FieldProps {
  name: Entry;
  label: string;
  hint: ComponentChildren;
  wrong: ComponentChildren;
  children: (props: { id: string; name: string; "aria-invalid": boolean; "aria-describedby": string }) => ComponentChildren;
}

/** A field with what would be right below it; what is wrong takes no hint away. */
function Field({ name, label, hint, wrong, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class="soft">
        {label}
      </label>
      {children({ id, name, "aria-invalid": wrong !== null, "aria-describedby": `${id}-wrong ${id}-hint` })}
      <p class="remark wrong" id={`${id}-wrong`} aria-live="polite" hidden={wrong === null}>
        {wrong}
      </p>
      <p class="hint small soft" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}
