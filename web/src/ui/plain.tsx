/** One picture without pixelation, for who may see it and says why. It is gone when the dialog is. */

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { t } from "../words";
import { Actions, Dialog } from "./dialog";
import { ErrorNote } from "./problem";
import { useAct } from "./use";

export function PlainPicture({ camera, name, close }: { camera: string; name: string; close: () => void }) {
  const w = t();
  const [reason, setReason] = useState("");
  const [shown, setShown] = useState<string | null>(null);
  const act = useAct();
  useEffect(() => () => (shown === null ? undefined : URL.revokeObjectURL(shown)), [shown]);
  const show = (event: Event): void => {
    event.preventDefault();
    act.run(async () => setShown(URL.createObjectURL(await api.plain(camera, reason.trim()))));
  };
  return (
    <Dialog title={`${w.wall.plain.title}: ${name}`} close={close} wide>
      <form onSubmit={show}>
        {shown !== null && <img class="plain-picture" src={shown} alt={name} />}
        <p class="small soft">{w.wall.plain.recorded}</p>
        <label class="field">
          <span>{w.wall.plain.why}</span>
          <input name="why" required autofocus maxLength={500} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
        </label>
        {act.error !== null && <ErrorNote error={act.error} />}
        <Actions busy={act.busy} close={close} leave={w.act.close}>
          {shown === null ? w.wall.plain.show : w.wall.plain.another}
        </Actions>
      </form>
    </Dialog>
  );
}
