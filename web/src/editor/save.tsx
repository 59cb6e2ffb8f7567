/** Saving, with a reason; and what to do when somebody else was faster. */

import { useState } from "preact/hooks";

import { api, LONGEST_REASON } from "../api";
import { ApiError } from "../api/client";
import { Actions, Dialog } from "../ui/dialog";
import { note } from "../ui/notes";
import { ErrorNote } from "../ui/problem";
import { useAct } from "../ui/use";
import { t } from "../words";
import type { Editor } from "./state";

export function SaveDialog({ editor, close }: { editor: Editor; close: () => void }) {
  const w = t();
  const [reason, setReason] = useState("");
  const act = useAct();
  const stale = act.error instanceof ApiError && act.error.status === 412;
  const { id, etag } = editor.base.value;
  const save = (): void =>
    act.run(async () => {
      const saved = await api.save(id, etag, { camera: editor.draft.value }, reason.trim());
      editor.rebase(saved.data, false);
      note(saved.data.restart ? w.editor.restart : w.editor.applied);
      close();
    });
  const newest = (keep: boolean): void =>
    act.run(async () => {
      editor.rebase((await api.config(id)).data, keep);
      if (!keep) close();
    });
  return (
    <Dialog title={stale ? w.editor.staleTitle : w.editor.saveTitle} close={close}>
      {stale ? (
        <div class="body">
          <p role="alert">{w.error.stale}</p>
          <p class="actions">
            <button type="button" class="primary" disabled={act.busy} onClick={() => newest(false)}>
              {w.editor.reload}
            </button>
            <button type="button" disabled={act.busy} onClick={() => newest(true)}>
              {w.editor.overwrite}
            </button>
          </p>
        </div>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <label class="field">
            <span>{w.editor.reason}</span>
            <input name="reason" required autofocus maxLength={LONGEST_REASON} placeholder={w.editor.reasonHint} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
          </label>
          {act.error !== null && <ErrorNote error={act.error} />}
          <Actions busy={act.busy} close={close}>
            {w.act.save}
          </Actions>
        </form>
      )}
    </Dialog>
  );
}
