/** Every call that the console makes. */

import { get, picture, post, query, request } from "./client";
import type { Reply } from "./client";
import type {
  AlertPage,
  Answer,
  AnswerRow,
  Audit,
  CameraConfig,
  Cameras,
  Checked,
  Delivery,
  Fault,
  FileRow,
  Ground,
  LineRaw,
  MaskRaw,
  Numbers,
  Operations,
  QuietSpot,
  Role,
  Session,
  SiteNumbers,
  Snooze,
  Statistics,
  Story,
  Trails,
  User,
  Version,
  VersionText,
  WhatIf,
  ZoneRaw,
} from "./types";

const part = encodeURIComponent;
const camera = (id: string): string => `/cameras/${part(id)}`;

export interface AlertWish {
  camera?: string;
  zone?: string;
  grid?: string;
  rule?: string;
  kind?: string;
  min_severity?: string;
  open?: boolean;
  unanswered?: boolean;
  since?: string;
  until?: string;
  after?: string;
  limit?: number;
}

/** What an editor sends: the whole text, or the tables to be merged into the file. */
export type Draft = { toml: string } | { camera: { zone: ZoneRaw[]; line: LineRaw[]; mask: MaskRaw[] } };

/** Characters of the reason for a change at most. */
export const LONGEST_REASON = 200;

export const api = {
  session: () => get<Session>("/session"),
  login: (name: string, password: string) => post<Session>("/session", { name, password }),
  logout: () => request<undefined>("DELETE", "/session"),
  password: (old: string, next: string) => post<Session>("/session/password", { old, new: next }),

  cameras: (signal?: AbortSignal) => get<Cameras>("/cameras", signal),
  alerts: (wish: AlertWish, signal?: AbortSignal) => get<AlertPage>(`/alerts${query({ ...wish })}`, signal),
  story: (alert: string, signal?: AbortSignal) => get<Story>(`/alerts/${part(alert)}`, signal),
  files: (alert: string, signal?: AbortSignal) => get<FileRow[]>(`/alerts/${part(alert)}/evidence`, signal),
  answer: (alert: string, answer: Answer) => post<AnswerRow>(`/alerts/${part(alert)}/status`, answer),
  quiet: () => get<QuietSpot[]>("/quiet"),
  releaseQuiet: (id: number) => request<undefined>("DELETE", `/quiet/${id}`),
  statistics: (day?: string) => get<Statistics>(`/statistics${query({ day })}`),

  config: (id: string): Promise<Reply<CameraConfig>> => request("GET", `${camera(id)}/config`),
  check: (id: string, draft: Draft, signal?: AbortSignal) => post<Checked>(`${camera(id)}/check`, draft, signal),
  save: (id: string, etag: string, draft: Draft, reason: string): Promise<Reply<CameraConfig>> =>
    request("PUT", `${camera(id)}/config`, { body: { ...draft, reason }, etag }),
  /** A camera that there is not yet. */
  create: (id: string, toml: string, reason: string): Promise<Reply<CameraConfig>> =>
    request("PUT", `${camera(id)}/config`, { body: { toml, reason }, fresh: true }),
  remove: (id: string, etag: string, reason: string) => request<undefined>("DELETE", `${camera(id)}/config${query({ reason })}`, { etag }),
  history: (id: string) => get<{ versions: Version[] }>(`${camera(id)}/history`),
  version: (id: string, version: number) => get<VersionText>(`${camera(id)}/history/${version}`),
  restore: (id: string, version: number, etag: string, reason: string): Promise<Reply<CameraConfig>> =>
    request("POST", `${camera(id)}/history/${version}/restore`, { body: { reason }, etag }),
  schema: () => get<unknown>("/schema"),
  plain: (id: string, reason: string) => picture(`${camera(id)}/plain`, { reason }),
  ground: (id: string) => get<Ground>(`${camera(id)}/ground`),
  whatIf: (id: string, toml: string | null, from: string, until: string, signal?: AbortSignal) =>
    post<WhatIf>(`${camera(id)}/what-if`, { ...(toml === null ? {} : { toml }), from, until }, signal),
  trails: (id: string, from: string, until: string, limit: number, signal?: AbortSignal) =>
    get<Trails>(`${camera(id)}/trails${query({ from, until, limit })}`, signal),
  siteNumbers: (day: string) => get<SiteNumbers>(`/numbers${query({ day })}`),
  numbers: (id: string, day: string) => get<Numbers>(`${camera(id)}/numbers${query({ day })}`),

  snoozes: () => get<Snooze[]>("/snoozes"),
  snooze: (id: string, rule: string, until: string, reason: string) =>
    post<Snooze>(`${camera(id)}/rules/${part(rule)}/snooze`, { until, reason }),
  wake: (id: string, rule: string) => request<undefined>("DELETE", `${camera(id)}/rules/${part(rule)}/snooze`),

  operations: (signal?: AbortSignal) => get<Operations>("/operations", signal),
  deliveries: (state: "dead" | "waiting", sink?: string) => get<{ deliveries: Delivery[]; more: boolean }>(`/deliveries${query({ state, sink })}`),
  redeliver: (alert: string | null) => post<unknown>("/deliveries/redeliver", alert === null ? { all_dead: true } : { alert }),
  testAlert: (route?: string) => post<unknown>("/alerts-test", route === undefined ? {} : { route }),
  siteCheck: () => get<{ faults: Fault[]; warnings: Fault[] }>("/check"),

  users: () => get<User[]>("/users"),
  addUser: (name: string, role: Role) => post<{ password: string }>("/users", { name, role }),
  changeUser: (name: string, change: { role?: Role; disabled?: boolean }) => request<User>("PATCH", `/users/${part(name)}`, { body: change }),
  deleteUser: (name: string) => request<undefined>("DELETE", `/users/${part(name)}`),
  resetPassword: (name: string) => post<{ password: string }>(`/users/${part(name)}/password`, {}),
  audit: (before?: number) => get<Audit>(`/audit${query({ before, limit: 100 })}`),
};

/** Where a picture of a camera is, the newest analysed one. */
export function stillAddress(id: string): string {
  return `/api/v1${camera(id)}/still`;
}

export function evidenceAddress(alert: string, name: string): string {
  return `/api/v1/alerts/${part(alert)}/evidence/${part(name)}`;
}

export function numbersCsv(id: string | null, day: string): string {
  return `/api/v1${id === null ? "" : camera(id)}/numbers${query({ day, format: "csv" })}`;
}
