/** Small pieces of state that several pages need. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Asked<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
  again: () => void;
}

/** Asks the server whenever `key` changes, and again every `every` milliseconds where that is given. An older answer never
 *  replaces a newer one; what was there stays while the next one is awaited, unless the key changed. */
export function useAsked<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>, every?: number): Asked<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; error: unknown; loading: boolean }>({ key, data: null, error: null, loading: key !== null });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const again = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    if (key === null) {
      setState({ key, data: null, error: null, loading: false });
      return;
    }
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = (): void => {
      latest
        .current(stop.signal)
        .then((data) => {
          if (!stop.signal.aborted) setState({ key, data, error: null, loading: false });
        })
        .catch((error: unknown) => {
          if (!stop.signal.aborted) setState((s) => ({ key, data: s.key === key ? s.data : null, error, loading: false }));
        })
        .finally(() => {
          if (every !== undefined && !stop.signal.aborted) timer = setTimeout(run, document.hidden ? every * 5 : every);
        });
    };
    setState((s) => (s.key === key ? { ...s, loading: true } : { key, data: null, error: null, loading: true }));
    run();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key, round, every]);
  const fresh = state.key === key;
  return { data: fresh ? state.data : null, error: fresh ? state.error : null, loading: fresh ? state.loading : key !== null, again };
}

/** An action with what became of it: while it runs it is not begun again. */
export function useAct(): { busy: boolean; error: unknown; run: (what: () => Promise<void>) => void; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const running = useRef(false);
  const run = useCallback((what: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(null);
    what()
      .catch((caught: unknown) => setError(caught))
      .finally(() => {
        running.current = false;
        setBusy(false);
      });
  }, []);
  const clear = useCallback(() => setError(null), []);
  return { busy, error, run, clear };
}

/** The size of an element in pixels, as it changes. */
export function useSize(): [(element: Element | null) => void, { width: number; height: number }] {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const observer = useRef<ResizeObserver | null>(null);
  const ref = useCallback((element: Element | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.current.observe(element);
  }, []);
  return [ref, size];
}
