/** Who uses the console, and what they may do. */

import { computed, signal } from "@preact/signals";

import { api } from "./api";
import { ApiError, PASSWORD_MUST_CHANGE, onRefusal, useProof } from "./api/client";
import type { Right, Session } from "./api/types";

/** `unknown` until the server has said. */
export type Standing = { state: "unknown" } | { state: "out" } | { state: "in"; session: Session };

export const standing = signal<Standing>({ state: "unknown" });
export const session = computed(() => (standing.value.state === "in" ? standing.value.session : null));
/** Why the server could not be asked. */
export const trouble = signal<ApiError | null>(null);

export function may(right: Right): boolean {
  return session.value?.rights.includes(right) ?? false;
}

function enter(next: Session): void {
  useProof(next.csrf);
  standing.value = { state: "in", session: next };
}

function leave(): void {
  useProof(null);
  standing.value = { state: "out" };
}

/** A server without logins lets everybody see and nobody change. */
const OPEN: Session = { name: "", role: "viewer", must_change: false, csrf: "", rights: ["see"] };

export async function findSession(): Promise<void> {
  trouble.value = null;
  try {
    enter(await api.session());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave();
    else if (error.status === 404) enter(OPEN);
    else trouble.value = error;
  }
}

export async function login(name: string, password: string): Promise<void> {
  enter(await api.login(name, password));
}

export async function logout(): Promise<void> {
  try {
    await api.logout();
  } finally {
    leave();
  }
}

export async function changePassword(old: string, next: string): Promise<void> {
  enter(await api.password(old, next));
}

onRefusal((error) => {
  const now = standing.value;
  if (now.state !== "in") return;
  if (error.status === 401) leave();
  else if (error.status === 403 && error.problem?.type === PASSWORD_MUST_CHANGE) {
    standing.value = { state: "in", session: { ...now.session, must_change: true } };
  }
});
