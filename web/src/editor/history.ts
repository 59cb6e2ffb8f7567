/** Undo and redo over whole values; what belongs to one movement is one step. */

export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** What the last step was about; the next step about the same joins it. */
  readonly about: string | null;
}

/** Steps that are kept. */
export const DEPTH = 200;

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], about: null };
}

/** A new value. `about` names a movement, such as a drag, that stays one step until [`settle`]. */
export function commit<T>(history: History<T>, next: T, about: string | null = null): History<T> {
  if (Object.is(next, history.present)) return history;
  const joins = about !== null && about === history.about;
  const past = joins ? history.past : [...history.past, history.present].slice(-DEPTH);
  return { past, present: next, future: [], about };
}

/** Ends a movement: what follows is a step of its own. */
export function settle<T>(history: History<T>): History<T> {
  return history.about === null ? history : { ...history, about: null };
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past[history.past.length - 1];
  if (history.past.length === 0) return history;
  return {
    past: history.past.slice(0, -1),
    present: before as T,
    future: [history.present, ...history.future],
    about: null,
  };
}

export function redo<T>(history: History<T>): History<T> {
  if (history.future.length === 0) return history;
  return {
    past: [...history.past, history.present],
    present: history.future[0] as T,
    future: history.future.slice(1),
    about: null,
  };
}
