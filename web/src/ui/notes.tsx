/** Short notes about what was done; they leave by themselves. What failed is shown where it failed, not here. */

import { signal } from "@preact/signals";

const LASTS = 4_000;
const notes = signal<{ id: number; text: string }[]>([]);
let last = 0;

export function note(text: string): void {
  last += 1;
  const id = last;
  notes.value = [...notes.value.slice(-2), { id, text }];
  setTimeout(() => {
    notes.value = notes.value.filter((n) => n.id !== id);
  }, LASTS);
}

export function Notes() {
  return (
    <div class="notes" role="status" aria-live="polite">
      {notes.value.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
