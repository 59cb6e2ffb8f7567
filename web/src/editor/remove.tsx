/** A camera goes: with a reason, and by its name. */

import { useState } from "preact/hooks";

import { api, LONGEST_REASON } from "../api";
import { ApiError } from "../api/client";
import { open } from "../live/alerts";
import { cameraName, cameras } from "../live/cameras";
import { address, go, guardLeave } from "../route";
import { Actions, Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { note } from "../ui/notes";
import { ErrorNote } from "../ui/problem";
import { useAct } from "../ui/use";
import { t } from "../words";
import type { Editor } from "./state";

export function RemoveDialog({ editor, close }: { editor: Editor; close: () => void }) {
  const w = t();
  const { id, etag } = editor.base.value;
  const name = cameraName(id);
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(false);
  const act = useAct();
  const refused = act.error instanceof ApiError ? act.error : null;
  const going = open.value.filter((row) => row.last.camera === id).length;
  const remove = (): void =>
    act.run(async () => {
      await api.remove(id, etag, reason.trim());
      // What was drawn and not saved goes with it.
      guardLeave(null);
      cameras.value = (cameras.value ?? []).filter((camera) => camera.id !== id);
      note(w.removing.done(name));
      go(address("wall"));
    });
  const newest = (): void =>
    act.run(async () => {
      editor.rebase((await api.config(id)).data, editor.unsaved.value > 0);
      close();
    });
  if (refused?.status === 412) {
    return (
      <Dialog title={w.removing.of(name)} close={close}>
        <div class="body">
          <p role="alert">{w.removing.stale}</p>
          <p class="actions">
            <button type="button" class="primary" disabled={act.busy} onClick={newest}>
              {w.editor.reload}
            </button>
            <button type="button" class="plain" onClick={close}>
              {w.act.cancel}
            </button>
          </p>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={w.removing.of(name)} close={close}>
      <form
        class="removing"
        onSubmit={(event) => {
          event.preventDefault();
          remove();
        }}
      >
        <Lot title={w.removing.goes} of={[...w.removing.went, ...(going > 0 ? [w.removing.ends(going)] : [])]} kind="gone" icon="close" />
        <Lot title={w.removing.stays} of={w.removing.stayed} kind="kept" icon="check" />
        <label class="field">
          <span>{w.removing.reason}</span>
          <input name="reason" required autofocus maxLength={LONGEST_REASON} placeholder={w.removing.reasonHint} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
        </label>
        <label class="switch">
          <input name="sure" type="checkbox" required checked={sure} onChange={(e) => setSure(e.currentTarget.checked)} />
          <span>
            {w.removing.sure(name)} {name !== id && <code translate={false}>{id}</code>}
          </span>
        </label>
        {refused?.status === 422 ? <Needed error={refused} /> : act.error !== null && <ErrorNote error={act.error} />}
        <Actions busy={act.busy} close={close} kind="danger" disabled={!sure || reason.trim() === ""}>
          <Icon name="trash" />
          {w.removing.title}
        </Actions>
      </form>
    </Dialog>
  );
}

/** What goes, or what stays. */
function Lot({ title, of, kind, icon }: { title: string; of: readonly string[]; kind: "gone" | "kept"; icon: "close" | "check" }) {
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {of.map((what) => (
          <li key={what} class={kind}>
            <Icon name={icon} />
            {what}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The rest of the site cannot do without it. */
function Needed({ error }: { error: ApiError }) {
  return (
    <div class="error" role="alert">
      <Icon name="warn" />
      <div>
        <p>{t().removing.needed}</p>
        {error.faults.map((fault) => (
          <p key={fault.message}>
            <code lang="en">{fault.message}</code>
          </p>
        ))}
      </div>
    </div>
  );
}
