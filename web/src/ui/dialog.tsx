/** A dialog in the middle: the browser's own keeps the focus inside and closes on Escape. */

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../words";
import { Icon } from "./icons";

interface Props {
  title: string;
  close: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

export function Dialog({ title, close, children, wide = false }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  const closed = useRef(close);
  closed.current = close;
  // Before anybody can press a key on what is not open yet.
  useLayoutEffect(() => {
    const dialog = box.current;
    if (dialog === null) return undefined;
    // Not `cancel`: a browser leaves that out where nobody has clicked or typed since the dialog opened, and closes it.
    const tell = () => {
      closed.current();
    };
    dialog.addEventListener("close", tell);
    dialog.showModal();
    return () => {
      dialog.removeEventListener("close", tell);
      dialog.close();
    };
  }, []);
  return (
    <dialog ref={box} class={wide ? "wide" : ""} aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="plain square" title={t().act.close} onClick={close}>
          <Icon name="close" />
          <span class="hidden">{t().act.close}</span>
        </button>
      </div>
      {children}
    </dialog>
  );
}

interface ActionsProps {
  busy: boolean;
  close: () => void;
  /** How the one that does it looks. */
  kind?: "primary" | "danger";
  disabled?: boolean;
  /** What the other one says. */
  leave?: string;
  children: ComponentChildren;
}

/** The last row of a form: do it, or leave. */
export function Actions({ busy, close, kind = "primary", disabled = false, leave = t().act.cancel, children }: ActionsProps) {
  return (
    <p class="actions">
      <button type="submit" class={kind} disabled={busy || disabled}>
        {children}
      </button>
      <button type="button" class="plain" onClick={close}>
        {leave}
      </button>
    </p>
  );
}
