/** Answering an alert, in the words that dispatch uses. */

import { useState } from "preact/hooks";

import { api } from "../api";
import type { Answer, AnswerWord, Story } from "../api/types";
import { patch } from "../live/alerts";
import { may } from "../session";
import { moment, t } from "../words";
import { note } from "./notes";
import { ErrorNote } from "./problem";
import { useAct } from "./use";

const WORDS: readonly AnswerWord[] = ["accepted", "assigned", "resolved", "false_alarm"];
const LONGEST = 200;
const REASONS = ["not_a_person", "wrong_rule", "allowed", "other"] as const;
type Reason = (typeof REASONS)[number];

export function AnswerForm({ alert, story, done }: { alert: string; story: Story; done: () => void }) {
  const w = t();
  const [word, setWord] = useState<AnswerWord | null>(null);
  const [text, setText] = useState("");
  const [reason, setReason] = useState<Reason>("not_a_person");
  const act = useAct();
  const send = (answer: Answer): void =>
    act.run(async () => {
      await api.answer(alert, answer);
      patch(alert, (row) => ({ ...row, answer: { ...answer, at: new Date().toISOString(), via: "session", by: "" } }));
      setWord(null);
      setText("");
      note(w.alerts.answer.sent);
      done();
    });
  const pick = (next: AnswerWord): void => {
    act.clear();
    if (next === "accepted") send({ status: "accepted" });
    else setWord(word === next ? null : next);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (word === "assigned") send({ status: word, unit: text });
    if (word === "resolved") send({ status: word, outcome: text });
    if (word === "false_alarm") send({ status: word, reason: reason === "other" ? text : reason });
  };
  return (
    <section class="answering">
      <h2>{w.alerts.answers}</h2>
      <Given story={story} />
      {may("answer") ? (
        <form onSubmit={submit}>
          <div class="segments wide" role="group" aria-label={w.alerts.answer.title}>
            {WORDS.map((each) => (
              <button key={each} type="button" data-answer={each} aria-pressed={word === each} disabled={act.busy} onClick={() => pick(each)}>
                {w.alerts.answer[each]}
              </button>
            ))}
          </div>
          {(word === "assigned" || word === "resolved") && (
            <label class="field">
              <span>{word === "assigned" ? w.alerts.answer.unit : w.alerts.answer.outcome}</span>
              <input name="detail" required maxLength={LONGEST} autofocus value={text} onInput={(e) => setText(e.currentTarget.value)} />
            </label>
          )}
          {word === "false_alarm" && (
            <fieldset class="choices">
              <legend>{w.alerts.answer.why}</legend>
              {REASONS.map((each) => (
                <label key={each}>
                  <input type="radio" name="reason" checked={reason === each} onChange={() => setReason(each)} />
                  <span>{reasonInWords(each)}</span>
                </label>
              ))}
              {reason === "other" && <input aria-label={w.alerts.answer.otherText} placeholder={w.alerts.answer.otherText} required maxLength={LONGEST} value={text} onInput={(e) => setText(e.currentTarget.value)} />}
            </fieldset>
          )}
          {word !== null && (
            <button type="submit" class="primary" disabled={act.busy}>
              {w.alerts.answer.send}
            </button>
          )}
          {act.error !== null && <ErrorNote error={act.error} />}
        </form>
      ) : (
        <p class="small soft">{w.alerts.answer.noRight}</p>
      )}
    </section>
  );
}

/** The reasons of this list in the page's language; others as they were written. */
export function reasonInWords(reason: string): string {
  const a = t().alerts.answer;
  const known: Record<string, string> = { not_a_person: a.notAPerson, wrong_rule: a.wrongRule, allowed: a.allowed, other: a.other };
  return known[reason] ?? reason;
}

function Given({ story }: { story: Story }) {
  const w = t();
  if (story.answers.length === 0) return <p class="soft">{w.alerts.noAnswer}</p>;
  return (
    <ol class="given">
      {story.answers.map((row, i) => (
        <li key={i}>
          <span class={`answer ${row.status}`}>{w.alerts.answer[row.status]}</span>
          <span>{row.unit ?? row.outcome ?? (row.reason === undefined ? "" : reasonInWords(row.reason))}</span>
          <span class="soft">{`${moment(row.at)} · ${row.by} ${w.alerts.via[row.via] ?? ""}`}</span>
        </li>
      ))}
    </ol>
  );
}
