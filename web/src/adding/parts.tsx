/** Parts of the form for a camera that there is not yet, and the way to it. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

import { address } from "../route";
import { Icon } from "../ui/icons";
import { t } from "../words";
import { FIELDS, SCHEMES, variables } from "./newcomer";
import type { FieldName, SourceKind } from "./newcomer";

const EXAMPLES: Record<SourceKind, string> = { stream: "rtsp://10.0.0.8/stream1", device: "/dev/video0", file: "gate.mp4" };

/** What is asked of whoever adds a camera, from top to bottom. */
export type Entry = FieldName | "reason";
export const ENTRIES: readonly Entry[] = [...FIELDS, "reason"];

/** The way here, for whoever may. */
export function AddCamera() {
  return (
    <a class="button" href={address("add")}>
      <Icon name="plus" />
      {t().adding.title}
    </a>
  );
}

/** What the server thinks of it so far. */
export function Verdict({ checked, faults, pending }: { checked: boolean; faults: number; pending: boolean }) {
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

/** What would be right of this sort of source. */
export function AddressHint({ kind }: { kind: SourceKind }) {
  const w = t();
  return (
    <>
      {w.adding.example[kind]} <code>{EXAMPLES[kind]}</code>
      {kind === "stream" && (
        <>
          {w.adding.begins} <code>{SCHEMES.join(" ")}</code>
        </>
      )}
    </>
  );
}

/** Where user and password belong. */
export function Credentials({ id }: { id: string }) {
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
export function Field({ name, label, hint, wrong, children }: FieldProps) {
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
