/** A camera that was there before: its last file, with zones and rules, can come back. */

import { api } from "../api";
import { ErrorNote } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { longMoment, t } from "../words";

interface Props {
  /** An id that no camera has. */
  id: string;
  reason: string;
  /** Asks for the reason where there is none. */
  ask: () => void;
  back: () => void;
}

export function Past({ id, reason, ask, back }: Props) {
  const w = t();
  // Of an id that was never there the server knows no history: there is nothing to show.
  const history = useAsked(`past ${id}`, () => api.history(id));
  const act = useAct();
  const last = history.data?.versions[0];
  if (last === undefined) return null;
  const bring = (): void => {
    if (reason === "") {
      ask();
      return;
    }
    act.run(async () => {
      const { toml } = await api.version(id, last.version);
      await api.create(id, toml, reason);
      back();
    });
  };
  return (
    <section class="card past">
      <h2>{w.adding.past.title}</h2>
      <p>{w.adding.past.about(longMoment(last.at))}</p>
      {act.error !== null && <ErrorNote error={act.error} />}
      <p class="actions">
        <button type="button" disabled={act.busy} onClick={bring}>
          {w.adding.past.back}
        </button>
      </p>
    </section>
  );
}
