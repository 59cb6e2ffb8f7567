/** What the server says and takes, as `/api/v1` has it. Times are RFC 3339 UTC, places are fractions of the picture, y down. */

export type Kind =
  | "crowd"
  | "density"
  | "gathering"
  | "loitering"
  | "intrusion"
  | "crossing"
  | "wrong_way"
  | "counter_flow"
  | "rush"
  | "proximity"
  | "vanished"
  | "occupancy"
  | Health;
/** What may be wrong with the camera itself. */
export type Health = "offline" | "frozen" | "dark" | "blurred" | "moved";
export type Severity = "minor" | "moderate" | "severe" | "extreme";
export type AlertState = "started" | "updated" | "ended" | "evidence" | "overdue" | "counted";
export type EndReason = "cleared" | "signal_lost" | "schedule" | "snoozed" | "reconfigured" | "stopped";
export type Unit = "people" | "s" | "people/m2" | "m" | "bh" | "m/s" | "bh/s" | "share";
export type MediaState = "none" | "pending" | "ready" | "failed";
export type Direction = "left_to_right" | "right_to_left";
export type AnswerWord = "accepted" | "assigned" | "resolved" | "false_alarm";
export type Role = "viewer" | "analyst" | "operator" | "admin";
export type Right = "see" | "edit_zones" | "answer" | "snooze" | "edit_source" | "users" | "policy" | "audit" | "plain";
export type CameraState = "connecting" | "online" | "offline" | "ended";
export type XY = [number, number];
/** Left, top, width, height. */
export type Box = [number, number, number, number];

export const HEALTH: readonly Health[] = ["offline", "frozen", "dark", "blurred", "moved"];
export const SEVERITIES: readonly Severity[] = ["minor", "moderate", "severe", "extreme"];

export interface Session {
  name: string;
  role: Role;
  must_change: boolean;
  csrf: string;
  rights: Right[];
}

export interface Fault {
  file: string;
  line: number;
  column: number;
  field: string;
  message: string;
}

/** RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  faults?: Fault[];
}

export interface ZoneCount {
  id: string;
  name: string;
  people: number;
}
export interface LineCount {
  id: string;
  name: string;
  left: string | null;
  right: string | null;
  left_to_right: number;
  right_to_left: number;
}
export interface Snooze {
  camera: string;
  rule: string;
  until: string;
  who: string;
  reason: string;
  since: string;
}
export interface Camera {
  id: string;
  name: string;
  live: string;
  state: CameraState;
  message: string | null;
  people: number;
  zones: ZoneCount[];
  lines: LineCount[];
  rate: number;
  frame_age_ms: number;
  analysed: number;
  dropped: number;
  last_picture: string | null;
  /** Why the rules of zones and lines rest, if they do. */
  suspended?: string | null;
  snoozed?: Snooze[];
}
export interface Cameras {
  site: string;
  cameras: Camera[];
}

/** The same sentence in both languages. */
export interface Localized {
  zh: string;
  en: string;
}

export interface AlertEvent {
  alert: string | null;
  seq: number;
  state: AlertState;
  at: string;
  site: string;
  grid: string | null;
  camera: string | null;
  camera_name: string | null;
  zone: string | null;
  zone_name: string | null;
  line: string | null;
  direction: Direction | null;
  rule: string | null;
  kind: Kind;
  severity: Severity | null;
  value: number;
  threshold: number;
  unit: Unit;
  people: number;
  peak: number;
  saturated: boolean;
  started_at: string | null;
  condition_since: string | null;
  condition_until: string | null;
  where: XY | null;
  box: Box | null;
  reason: EndReason | null;
  related: string[];
  /** `escalated`: the severity at whose escalation the newest picture was made. */
  evidence: { picture: MediaState; clip: MediaState; escalated?: Severity };
  text: Localized;
  overdue?: { route: string; within_s: number; escalated_to: string | null };
  test?: boolean;
}

export interface Answer {
  status: AnswerWord;
  unit?: string;
  outcome?: string;
  reason?: string;
}
export interface AnswerRow extends Answer {
  at: string;
  via: string;
  by: string;
}
export interface AlertRow {
  alert: string;
  started_at: string;
  ended_at: string | null;
  last: AlertEvent;
  answer: AnswerRow | null;
}
export interface AlertPage {
  alerts: AlertRow[];
  next: string | null;
}
export type DeliveryOutcome = "waiting" | "delivered" | "dead" | "skipped" | "dropped";
export interface Delivery {
  alert: string;
  sink: string;
  seq: number;
  outcome: DeliveryOutcome;
  attempts: number;
  queued_at: string;
  settled_at: string | null;
  due_at: string | null;
  error: string | null;
}
export interface RouteRow {
  route: string;
  announced_at: string;
  deadline: string | null;
  state: "waiting" | "answered" | "overdue";
}
export interface Story {
  alert: string;
  events: AlertEvent[];
  deliveries: Delivery[];
  answers: AnswerRow[];
  routes: RouteRow[];
}
export interface FileRow {
  name: string;
  bytes: number;
}
export interface QuietSpot {
  id: number;
  camera: string;
  box: Box;
  alert: string;
  made_at: string;
  made_by: string;
  released_at: string | null;
  released_by: string | null;
}

export interface Figures {
  received: number;
  answered: number;
  resolved: number;
  false_alarms: number;
  due: number;
  in_time: number;
  median_minutes: number | null;
  false_alarm_share: number | null;
}
export interface Statistics {
  site: string;
  time_zone: string;
  day: string;
  total: Figures;
  grids: (Figures & { grid: string | null })[];
  kinds: (Figures & { kind: string })[];
}

/** A rule's table as written; other keys are kept as they are. */
export interface RuleRaw {
  id: string;
  kind: Kind;
  [key: string]: unknown;
}
export interface ZoneRaw {
  id: string;
  name?: string;
  grid?: string;
  polygon: XY[];
  rule?: RuleRaw[];
}
export interface LineRaw {
  id: string;
  name?: string;
  grid?: string;
  points: XY[];
  left?: string;
  right?: string;
  rule?: RuleRaw[];
}
export interface MaskRaw {
  kind: "privacy" | "ignore";
  polygon: XY[];
}
export interface CameraRaw {
  id: string;
  name?: string;
  zone?: ZoneRaw[];
  line?: LineRaw[];
  mask?: MaskRaw[];
  [key: string]: unknown;
}
export interface CameraConfig {
  id: string;
  file: string;
  toml: string;
  etag: string;
  /** The tables as written; null where the text is no TOML. */
  camera: CameraRaw | null;
  /** Why the text is not in force, if it is not: the last good one is. */
  faults: Fault[];
  warnings: Fault[];
  /** A part of it is in force only after a restart. */
  restart: boolean;
}
export interface Checked {
  faults: Fault[];
  warnings: Fault[];
  toml: string;
}
export interface Version {
  version: number;
  at: string;
  who: string;
  reason: string;
  etag: string;
}
export interface VersionText extends Version {
  toml: string;
  before: string | null;
}
export interface Ground {
  ready: boolean;
  /** Why the ground is not learnt yet. */
  reason: string | null;
  /** Where the ground ends, from left to right; empty where it fills the picture. */
  horizon: XY[];
  lines: XY[][];
  step_m: number | null;
}

export interface Incident {
  rule: string;
  kind: Kind;
  severity: Severity;
  zone: string | null;
  line: string | null;
  started_at: string;
  ended_at: string | null;
  peak: number;
  value: number;
  unit: Unit;
  people: number;
  where: XY | null;
  box: Box | null;
  tracks: number[];
}
export interface Period {
  from: string;
  until: string;
}
export interface WhatIf {
  covered: Period[];
  outages: Period[];
  now: Incident[];
  then: Incident[];
  days: { day: string; now: number; then: number }[];
  /** There were more than an answer has; the days count them all. */
  cut?: boolean;
  /** What stored tracks cannot show. */
  left_out?: { rule: string | null; why: Localized }[];
  took_ms: number;
}
export interface Trails {
  tracks: { id: number; points: [number, number, number, number][] }[];
}

export interface Hour {
  hour: number;
  people: Record<string, { mean: number; max: number }>;
  lines: Record<string, Record<Direction, number>>;
}
export interface Numbers {
  hours: Hour[];
}
export interface SiteNumbers {
  /** People on the whole site, by rule. */
  occupancy: Record<string, { hour: number; last: number; max: number }[]>;
}

export interface Operations {
  cameras: {
    id: string;
    state: CameraState;
    rate: number;
    age_p50_ms: number | null;
    age_p99_ms: number | null;
    analysed: number;
    dropped: number;
    reconnects: number;
  }[];
  stages: { stage: string; p50_ms: number | null; p99_ms: number | null; heartbeat: string | null }[];
  sinks: {
    id: string;
    kind: string;
    pending: number;
    oldest_s: number;
    delivered: number;
    dead: number;
    skipped: number;
  }[];
  queues: { queue: string; overflow: number }[];
  models: { id: string; providers: string[] }[];
  disk_free_bytes: number;
  build: { version: string };
  /** What is on disk and in force only after a restart. */
  restart: string[];
}
export interface User {
  name: string;
  role: Role;
  must_change: boolean;
  disabled: boolean;
  last_login: string | null;
}
export interface AuditEntry {
  id: number;
  at: string;
  who: string;
  what: string;
  target: string | null;
  reason: string | null;
  detail: string | null;
  from?: string | null;
}
export interface Audit {
  entries: AuditEntry[];
  next: number | null;
}
