/** Pieces of an alert that several pages show. */

import type { AlertEvent, AlertRow, Severity } from "../api/types";
import { dayOf, isoDay, lasting, minuteOf, t } from "../words";

export function SeverityTag({ severity }: { severity: Severity | null }) {
  return severity === null ? null : <span class={`tag ${severity}`}>{t().severity[severity]}</span>;
}

/** The sentence in the page's language without what stands beside it anyway. */
export function sentenceOf(event: AlertEvent): string {
  const text = t().code === "zh" ? event.text.zh : event.text.en;
  return text.replace(/^(\[[^\]]*\]|【[^】]*】)\s*/, "");
}

export function startOf(at: string): string {
  return isoDay(at) === isoDay(Date.now()) ? minuteOf(at) : `${dayOf(at)} ${minuteOf(at)}`;
}

export function durationOf(row: AlertRow, now: number): string {
  const w = t().alerts;
  const until = row.ended_at === null ? now : Date.parse(row.ended_at);
  const text = lasting((until - Date.parse(row.started_at)) / 1000);
  return row.ended_at === null ? w.since(text) : w.lasted(text);
}

/** Answered, awaited, or neither. */
export function AnswerTag({ row }: { row: AlertRow }) {
  const w = t().alerts;
  if (row.answer !== null) return <span class={`answer ${row.answer.status}`}>{w.answer[row.answer.status]}</span>;
  return row.last.state === "overdue" ? <span class="answer overdue">{t().state.overdue}</span> : null;
}

interface Props {
  row: AlertRow;
  href: string;
  now: number;
  current?: boolean;
}

/** One line of a list. */
export function AlertLine({ row, href, now, current = false }: Props) {
  const w = t();
  const event = row.last;
  const isOpen = row.ended_at === null;
  return (
    <a class={`alert ${event.severity ?? "minor"} ${isOpen ? "open" : "over"}`} href={href} aria-current={current ? "true" : undefined}>
      <span class="first">
        <SeverityTag severity={event.severity} />
        <b>{w.kind[event.kind]}</b>
        {event.test === true && <span class="tag test">{w.alerts.test}</span>}
        <span class="grow" />
        <time datetime={row.started_at}>{startOf(row.started_at)}</time>
      </span>
      <span class="say">{sentenceOf(event)}</span>
      <span class="last">
        {isOpen && <i class="pulse" aria-label={w.alerts.now} />}
        <span>{durationOf(row, now)}</span>
        {event.reason !== null && event.reason !== "cleared" && <span>{w.reason[event.reason]}</span>}
        <span class="grow" />
        <AnswerTag row={row} />
      </span>
    </a>
  );
}
