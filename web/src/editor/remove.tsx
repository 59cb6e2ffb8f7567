/** A camera goes: with a reason, and by its name. */

import { useState } from "preact/hooks";

import { api } from "../api";
import { ApiError } from "../api/client";
import { open } from "../live/alerts";
import { cameraName, cameras } from "../live/cameras";
import { address, go, guardLeave } from "../route";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { note } from "../ui/notes";
import { ErrorNote } from "../ui/problem";
import { useAct } from "../ui/use";
import { t } from "../words";
import type { Editor } from "./state";

const LONGEST_REASON = 200;

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
        <section>
          <h3>{w.removing.goes}</h3>
          <ul>
            {[...w.removing.went, ...(going > 0 ? [w.removing.ends(going)] : [])].map((what) => (
              <li key={what} class="gone">
                <Icon name="close" />
                {what}
              </li>
            ))}
          </ul>
        </section>
        <section>
          <h3>{w.removing.stays}</h3>
          <ul>
            {w.removing.stayed.map((what) => (
              <li key={what} class="kept">
                <Icon name="check" />
                {what}
              </li>
            ))}
          </ul>
        </section>
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
        <p class="actions">
          <button type="submit" class="danger" disabled={act.busy || !sure || reason.trim() === ""}>
            <Icon name="trash" />
            {w.removing.title}
          </button>
          <button type="button" class="plain" onClick={close}>
            {w.act.cancel}
          </button>
        </p>
      </form>
    </Dialog>
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
