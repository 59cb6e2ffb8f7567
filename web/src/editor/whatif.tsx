/** What the changed rules would have raised on the stored tracks, beside those in force. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { api } from "../api";
import type { Fault, Incident, WhatIf } from "../api/types";
import { compared } from "../timeline/bins";
import type { Range } from "../timeline/bins";
import { Timeline } from "../timeline/timeline";
import { ErrorNote, Faults } from "../ui/problem";
import { measured, millis, moment, number, t, weekdayOf } from "../words";
import type { Editor } from "./state";

const HOUR = 3_600_000;
const RANGES = [1, 6, 24, 72, 168];
/** After the last change. */
const CALM = 700;
/** Tracks around an alert that are drawn, and the time before and after it. */
const TRACKS = 60;
const AROUND = 5_000;

interface Done {
  result: WhatIf;
  range: Range;
  draft: unknown;
}

export function WhatIfPanel({ editor, errors }: { editor: Editor; errors: number }) {
  const w = t();
  const [hours, setHours] = useState(24);
  const [done, setDone] = useState<Done | null>(null);
  const [faults, setFaults] = useState<Fault[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  const [chosen, setChosen] = useState<Incident | null>(null);
  const { id, etag } = editor.base.value;
  const draft = editor.draft.value;
  const changed = editor.unsaved.value > 0;
  const first = useRef(true);

  useEffect(() => {
    if (errors > 0) return;
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      setBusy(true);
      setError(null);
      const until = Date.now();
      const range = { from: until - hours * HOUR, until };
      try {
        let toml: string | null = null;
        if (changed) {
          const checked = await api.check(id, { camera: draft }, stop.signal);
          setFaults(checked.faults);
          if (checked.faults.length > 0) return;
          toml = checked.toml;
        } else setFaults([]);
        const result = await api.whatIf(id, toml, new Date(range.from).toISOString(), new Date(range.until).toISOString(), stop.signal);
        setDone({ result, range, draft });
        setChosen(null);
        editor.shown.value = null;
      } catch (caught) {
        if (!stop.signal.aborted) setError(caught);
      } finally {
        if (!stop.signal.aborted) setBusy(false);
      }
    };
    const timer = setTimeout(() => void run(), first.current ? 0 : CALM);
    first.current = false;
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [draft, hours, errors, etag, round]);

  const choose = async (incident: Incident): Promise<void> => {
    setChosen(incident);
    const start = Date.parse(incident.started_at);
    const end = Math.min(incident.ended_at === null ? start + 60_000 : Date.parse(incident.ended_at), start + 120_000);
    const at = (ms: number): string => new Date(ms).toISOString();
    try {
      const trails = await api.trails(id, at(start - AROUND), at(end + AROUND), TRACKS);
      editor.shown.value = { incident, trails };
    } catch {
      editor.shown.value = { incident, trails: { tracks: [] } };
    }
  };

  return (
    <section class="whatif" aria-label={w.whatif.title} aria-busy={busy}>
      <header>
        <h2>{w.whatif.title}</h2>
        <div class="segments" role="group" aria-label={w.whatif.range}>
          {RANGES.map((each) => (
            <button key={each} type="button" aria-pressed={hours === each} onClick={() => setHours(each)}>
              {each < 24 ? w.whatif.hours(each) : w.whatif.days(each / 24)}
            </button>
          ))}
        </div>
        <button type="button" class="plain" disabled={busy || errors > 0} onClick={() => setRound(round + 1)}>
          {busy ? w.whatif.running : w.whatif.run}
        </button>
        <span class="grow" />
        <span class="soft small">{changed ? w.whatif.about : w.whatif.unchanged}</span>
      </header>
      {errors > 0 && <p class="remark error">{w.whatif.faults}</p>}
      {faults.length > 0 && <Faults faults={faults} />}
      {error !== null && <ErrorNote error={error} retry={() => setRound(round + 1)} />}
      {done !== null && error === null && <Result done={done} chosen={chosen} choose={(incident) => void choose(incident)} editor={editor} />}
    </section>
  );
}

interface ResultProps {
  done: Done;
  chosen: Incident | null;
  choose: (incident: Incident) => void;
  editor: Editor;
}

function Result({ done, chosen, choose, editor }: ResultProps) {
  const w = t();
  const { result, range } = done;
  const differences = useMemo(() => compared(result.now, result.then), [result]);
  const differs = useMemo(() => new Set([...differences.gone, ...differences.added]), [differences]);
  if (result.covered.length === 0) return <p class="soft">{w.whatif.noTracks}</p>;
  const nothing = result.now.length === 0 && result.then.length === 0;
  return (
    <div class="result">
      <Timeline result={result} range={range} chosen={chosen} choose={choose} differs={differs} />
      <p class="totals">
        <span>
          {`${w.whatif.now}: `}
          <b data-count="now">{number(result.now.length)}</b>
        </span>
        <span>
          {`${w.whatif.then}: `}
          <b data-count="then">{number(result.then.length)}</b>
        </span>
        <span class="soft">{w.whatif.same(differences.same)}</span>
        {differences.added.length > 0 && <span class="added">{w.whatif.added(differences.added.length)}</span>}
        {differences.gone.length > 0 && <span class="gone">{w.whatif.gone(differences.gone.length)}</span>}
        <span class="grow" />
        <span class="soft small">{w.whatif.took(millis(result.took_ms))}</span>
      </p>
      {chosen !== null ? (
        <p class="chosen-alert">
          <b>{w.kind[chosen.kind]}</b>
          <span>{chosen.rule}</span>
          <span>{moment(chosen.started_at)}</span>
          <span>{`${w.alerts.peak} ${measured(chosen.peak, chosen.unit)}`}</span>
          <span class="soft">{w.whatif.tracks(chosen.tracks.length)}</span>
          <button
            type="button"
            class="plain"
            onClick={() => {
              editor.shown.value = null;
            }}
          >
            {w.whatif.clear}
          </button>
        </p>
      ) : (
        <p class="soft small">{nothing ? w.whatif.nothing : w.whatif.click}</p>
      )}
      {result.days.length > 1 && <Days days={result.days} />}
    </div>
  );
}

function Days({ days }: { days: WhatIf["days"] }) {
  const w = t();
  const most = Math.max(1, ...days.flatMap((day) => [day.now, day.then]));
  return (
    <table class="days">
      <caption>{w.whatif.perDay}</caption>
      <thead>
        <tr>
          <th>{w.whatif.day}</th>
          <th>{w.whatif.nowShort}</th>
          <th>{w.whatif.thenShort}</th>
        </tr>
      </thead>
      <tbody>
        {days.map((day) => (
          <tr key={day.day}>
            <th scope="row">{weekdayOf(`${day.day}T12:00:00`)}</th>
            {([day.now, day.then] as const).map((count, i) => (
              <td key={i}>
                <svg class={i === 0 ? "bar-of" : "bar-of then"} width="90" height="9" aria-hidden="true">
                  <rect width={(count / most) * 90} height="9" />
                </svg>
                <b>{number(count)}</b>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
