/** A dialog in the middle: the browser's own keeps the focus inside and closes on Escape. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

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
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      class={wide ? "wide" : ""}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
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
