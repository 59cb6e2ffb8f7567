/** One way to the server: JSON both ways, problems as errors, the session's proof on whatever changes something. */

import type { Fault, Problem } from "./types";

/** A request that failed; `status` 0 means that the server was not reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | null;
  readonly retryAfter: number | null;

  constructor(status: number, problem: Problem | null, retryAfter: number | null = null) {
    super(problem?.detail ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  get faults(): Fault[] {
    return this.problem?.faults ?? [];
  }
}

export interface Reply<T> {
  data: T;
  etag: string | null;
}

interface Options {
  body?: unknown;
  etag?: string;
  /** Only if there is nothing at that address yet. */
  fresh?: boolean;
  signal?: AbortSignal;
}

type Watcher = (error: ApiError) => void;
let csrf: string | null = null;
let watcher: Watcher = () => undefined;

/** The proof that a change comes from this page. */
export function useProof(token: string | null): void {
  csrf = token;
}

/** Hears of every refusal: a session that ended is everybody's matter. */
export function onRefusal(hear: Watcher): void {
  watcher = hear;
}

export const PASSWORD_MUST_CHANGE = "/problems/password-must-change";

async function problemOf(answer: Response): Promise<Problem | null> {
  if (!(answer.headers.get("content-type") ?? "").includes("json")) return null;
  try {
    return (await answer.json()) as Problem;
  } catch {
    return null;
  }
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<Reply<T>> {
  const headers = new Headers({ Accept: "application/json" });
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  if (options.etag !== undefined) headers.set("If-Match", options.etag);
  if (options.fresh === true) headers.set("If-None-Match", "*");
  if (method !== "GET" && csrf !== null) headers.set("X-Lookout-CSRF", csrf);
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, null);
  }
  if (!answer.ok) {
    const wait = Number(answer.headers.get("retry-after"));
    const error = new ApiError(answer.status, await problemOf(answer), Number.isFinite(wait) && wait > 0 ? wait : null);
    watcher(error);
    throw error;
  }
  const empty = answer.status === 204 || answer.headers.get("content-length") === "0";
  const data: unknown = empty ? undefined : await answer.json();
  return { data: data as T, etag: answer.headers.get("etag") };
}

/** A picture that is asked for with a body; kept only as long as it is shown. */
export async function picture(path: string, body: unknown): Promise<Blob> {
  const headers = new Headers({ "Content-Type": "application/json" });
  if (csrf !== null) headers.set("X-Lookout-CSRF", csrf);
  const answer = await fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" }).catch(() => {
    throw new ApiError(0, null);
  });
  if (answer.ok) return answer.blob();
  const error = new ApiError(answer.status, await problemOf(answer));
  watcher(error);
  throw error;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request<T>("GET", path, signal === undefined ? {} : { signal })).data;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await request<T>("POST", path, signal === undefined ? { body } : { body, signal })).data;
}

/** `?a=1&b=2` of what is set. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) out.set(key, String(value));
  }
  const text = out.toString();
  return text === "" ? "" : `?${text}`;
}
