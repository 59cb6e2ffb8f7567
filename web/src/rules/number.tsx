/** A field for a number. */

import { useEffect, useState } from "preact/hooks";

interface NumberProps {
  id: string;
  value: unknown;
  set: (value: unknown) => void;
  readOnly: boolean;
  invalid: boolean;
  usual: string;
  whole: boolean;
}

/** Keeps what is being typed: "1." is on its way to "1.5". */
export function NumberField({ id, value, set, readOnly, invalid, usual, whole }: NumberProps) {
  const [text, setText] = useState(textOf(value));
  useEffect(() => {
    if (parsed(text) !== value) setText(textOf(value));
  }, [value]);
  return (
    <input
      id={id}
      class="short"
      inputMode={whole ? "numeric" : "decimal"}
      placeholder={usual}
      disabled={readOnly}
      aria-invalid={invalid}
      value={text}
      onInput={(e) => {
        setText(e.currentTarget.value);
        set(parsed(e.currentTarget.value));
      }}
    />
  );
}

function textOf(value: unknown): string {
  return typeof value === "number" || typeof value === "string" ? String(value) : "";
}

/** A number; the text itself where it is none, so that it can be marked as wrong. */
function parsed(text: string): number | string | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : text;
}
