/** The language of the page, and how it writes numbers, times and places in time. */

import { computed, signal } from "@preact/signals";

import { en } from "./en";
import type { Words } from "./en";
import { recall, remember } from "../store";
import { zh } from "./zh";

export type { Words } from "./en";
export type Language = "zh" | "en";
export const dictionaries: Record<Language, Words> = { zh, en };

function first(): Language {
  const kept = recall("lang");
  if (kept === "zh" || kept === "en") return kept;
  return typeof navigator !== "undefined" && navigator.language.startsWith("zh") ? "zh" : "en";
}

export const language = signal<Language>(first());
const words = computed(() => dictionaries[language.value]);
/** IANA zone of the site; the browser's until the site has said. */
export const zone = signal<string | undefined>(undefined);

/** The dictionary of the page's language. */
export function t(): Words {
  return words.value;
}

export function setLanguage(next: Language): void {
  language.value = next;
  remember("lang", next);
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([t().locale, zone.value, options]);
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(t().locale, { ...(zone.value === undefined ? {} : { timeZone: zone.value }), ...options });
    formats.set(key, found);
  }
  return found;
}

type When = string | number | Date;
const date = (at: When): Date => (at instanceof Date ? at : new Date(at));

export function clock(at: When): string {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(date(at));
}
export function minuteOf(at: When): string {
  return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date(at));
}
export function dayOf(at: When): string {
  return format({ month: "short", day: "numeric" }).format(date(at));
}
export function weekdayOf(at: When): string {
  return format({ weekday: "short", month: "short", day: "numeric" }).format(date(at));
}
/** Date and time, for whatever may be of another day. */
export function moment(at: When): string {
  return format({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(date(at));
}
export function longMoment(at: When): string {
  return format({ dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }).format(date(at));
}
/** `YYYY-MM-DD` in the site's zone. */
export function isoDay(at: When): string {
  const options: Intl.DateTimeFormatOptions = zone.value === undefined ? {} : { timeZone: zone.value };
  return new Intl.DateTimeFormat("sv-SE", options).format(date(at));
}
/** The zone's offset from UTC at a time, milliseconds. */
export function offsetAt(at: number): number {
  const options: Intl.DateTimeFormatOptions = zone.value === undefined ? {} : { timeZone: zone.value };
  const local = new Intl.DateTimeFormat("sv-SE", { ...options, dateStyle: "short", timeStyle: "medium" }).format(at);
  return Date.parse(`${local.replace(" ", "T")}Z`) - Math.floor(at / 1000) * 1000;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(t().locale, { maximumFractionDigits: digits });
}
export function fixed(value: number, digits: number): string {
  return value.toLocaleString(t().locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
export function percent(value: number): string {
  return value.toLocaleString(t().locale, { style: "percent", maximumFractionDigits: 0 });
}

/** A length of time in at most two units. */
export function lasting(total: number): string {
  const u = t().unit;
  const s = Math.max(0, total);
  if (s < 10 && s % 1 !== 0) return `${fixed(s, 1)} ${u.s}`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole} ${u.s}`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} ${u.min}` : `${minutes} ${u.min} ${whole % 60} ${u.s}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} ${u.h}` : `${hours} ${u.h} ${minutes % 60} ${u.min}`;
  return `${Math.floor(hours / 24)} ${u.d}`;
}

export function millis(value: number): string {
  return value < 10_000 ? `${Math.round(value)} ${t().unit.ms}` : lasting(value / 1000);
}

const SIZES = ["B", "KB", "MB", "GB", "TB"] as const;
export function bytes(value: number): string {
  let at = 0;
  let rest = value;
  while (rest >= 1000 && at < SIZES.length - 1) {
    rest /= 1000;
    at += 1;
  }
  return `${number(rest, rest < 10 ? 1 : 0)} ${SIZES[at] ?? ""}`;
}

/** A measured value with its unit. */
export function measured(value: number, unit: keyof Words["unit"]): string {
  if (unit === "share") return percent(value);
  if (unit === "s") return lasting(value);
  return `${number(value, value < 10 ? 1 : 0)} ${t().unit[unit]}`;
}
