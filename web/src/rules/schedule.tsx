/** When a rule is in force: windows of the week with exceptions. */

import { Icon } from "../ui/icons";
import { t } from "../words";
import { WEEKDAYS, daysOf, entriesOf } from "./weekdays";

interface Except {
  date: string;
  on: boolean;
}
interface Window {
  weekdays?: string[];
  from: string;
  to: string;
  except?: Except[];
}

/** With a field set, or without it. */
function withField<K extends "weekdays" | "except">(window: Window, key: K, value: Window[K]): Window {
  const next = { ...window, [key]: value };
  if (value === undefined) Reflect.deleteProperty(next, key);
  return next;
}

interface Props {
  value: unknown;
  set: (value: unknown) => void;
  readOnly: boolean;
}

export function ScheduleField({ value, set, readOnly }: Props) {
  const w = t();
  const windows = value === undefined || value === null ? [] : Array.isArray(value) ? (value as Window[]) : [value as Window];
  // One window is written as one table, as somebody would by hand.
  const put = (next: Window[]): void => set(next.length === 0 ? undefined : next.length === 1 ? next[0] : next);
  const change = (index: number, window: Window): void => put(windows.map((old, i) => (i === index ? window : old)));
  return (
    <div class="schedule">
      {windows.length === 0 && <span class="soft">{w.editor.schedule.always}</span>}
      {windows.map((window, i) => (
        <WindowField key={i} window={window} readOnly={readOnly} change={(next) => change(i, next)} remove={() => put(windows.filter((_, n) => n !== i))} />
      ))}
      {!readOnly && (
        <button type="button" class="plain add" onClick={() => put([...windows, { from: "18:00", to: "08:00" }])}>
          <Icon name="plus" />
          {w.editor.schedule.add}
        </button>
      )}
    </div>
  );
}

interface WindowProps {
  window: Window;
  readOnly: boolean;
  change: (window: Window) => void;
  remove: () => void;
}

function WindowField({ window, readOnly, change, remove }: WindowProps) {
  const w = t();
  const days = daysOf(window.weekdays);
  const setDays = (next: boolean[]): void => {
    const entries = entriesOf(next);
    if (next.some(Boolean)) change(withField(window, "weekdays", entries));
  };
  const excepts = window.except ?? [];
  const setExcepts = (next: Except[]): void => change(withField(window, "except", next.length === 0 ? undefined : next));
  return (
    <fieldset class="window" disabled={readOnly}>
      <legend class="hidden">{w.editor.schedule.window}</legend>
      <span class="days" role="group" aria-label={w.editor.schedule.days}>
        {WEEKDAYS.map((day, i) => (
          <button key={day} type="button" aria-pressed={days[i] === true} onClick={() => setDays(days.map((on, n) => (n === i ? !on : on)))}>
            {w.editor.schedule.day[day]}
          </button>
        ))}
      </span>
      <span class="times">
        <input type="time" aria-label={w.editor.schedule.from} value={window.from} required onInput={(e) => change({ ...window, from: e.currentTarget.value })} />
        <span class="soft">–</span>
        <input type="time" aria-label={w.editor.schedule.to} value={window.to === "24:00" ? "00:00" : window.to} required onInput={(e) => change({ ...window, to: e.currentTarget.value === "00:00" ? "24:00" : e.currentTarget.value })} />
        {window.to <= window.from && <span class="soft">{w.editor.schedule.nextDay}</span>}
        {!readOnly && (
          <button type="button" class="plain square" title={w.act.remove} onClick={remove}>
            <Icon name="close" />
            <span class="hidden">{w.act.remove}</span>
          </button>
        )}
      </span>
      {excepts.map((except, i) => (
        <span key={i} class="times">
          <input type="date" aria-label={w.editor.schedule.except} value={except.date} required onInput={(e) => setExcepts(excepts.map((old, n) => (n === i ? { ...old, date: e.currentTarget.value } : old)))} />
          <select aria-label={w.editor.schedule.except} value={except.on ? "on" : "off"} onChange={(e) => setExcepts(excepts.map((old, n) => (n === i ? { ...old, on: e.currentTarget.value === "on" } : old)))}>
            <option value="on">{w.editor.schedule.on}</option>
            <option value="off">{w.editor.schedule.off}</option>
          </select>
          <button type="button" class="plain square" title={w.act.remove} onClick={() => setExcepts(excepts.filter((_, n) => n !== i))}>
            <Icon name="close" />
            <span class="hidden">{w.act.remove}</span>
          </button>
        </span>
      ))}
      {!readOnly && (
        <button type="button" class="plain add" onClick={() => setExcepts([...excepts, { date: new Date().toISOString().slice(0, 10), on: false }])}>
          <Icon name="plus" />
          {w.editor.schedule.addExcept}
        </button>
      )}
    </fieldset>
  );
}
