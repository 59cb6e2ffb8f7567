/** Light or dark: what was chosen, otherwise what the system has. */

import { computed, effect, signal } from "@preact/signals";

import { recall, remember } from "./store";

export type Theme = "light" | "dark";

const kept = recall("theme");
const chosen = signal<Theme | null>(kept === "light" || kept === "dark" ? kept : null);
const dark = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-color-scheme: dark)");
const system = signal<Theme>(dark?.matches === true ? "dark" : "light");
export const theme = computed<Theme>(() => chosen.value ?? system.value);

export function switchTheme(): void {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  remember("theme", chosen.value);
}

export function applyLook(): void {
  dark?.addEventListener("change", (event) => {
    system.value = event.matches ? "dark" : "light";
  });
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}
