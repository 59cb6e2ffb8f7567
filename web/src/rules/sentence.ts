/** What a rule does, in words. */

import type { LineRaw, RuleRaw, Severity, ZoneRaw } from "../api/types";
import { SEVERITIES } from "../api/types";
import type { Words } from "../words/en";
import type { Facts, RuleKind } from "./facts";
import { fieldsOf } from "./schema";
import { DURATION_UNITS, LENGTH_UNITS, SPEED_UNITS, quantity, seconds } from "./units";
import { WEEKDAYS, daysOf, runs } from "./weekdays";

const isSeverity = (value: unknown): value is Severity => SEVERITIES.includes(value as Severity);

function number(value: unknown, words: Words): string {
  return typeof value === "number" ? value.toLocaleString(words.locale, { maximumFractionDigits: 2 }) : words.rules.missing;
}

function spoken(value: unknown, units: readonly string[], words: Words): string {
  const found = quantity(value, units);
  if (found === null) return words.rules.missing;
  const unit = units === DURATION_UNITS && found.unit === "m" ? "min" : found.unit;
  const name = words.unit[unit as keyof Words["unit"]];
  return `${number(found.value, words)}${words.rules.glue}${name}`;
}

function windowOf(raw: unknown, words: Words): string {
  const window = (raw ?? {}) as Record<string, unknown>;
  const r = words.rules;
  const text = (value: unknown): string => (typeof value === "string" && value !== "" ? value : r.missing);
  const [from, to] = [text(window["from"]), text(window["to"])];
  const days = daysOf(window["weekdays"]);
  const name = (i: number): string => words.editor.schedule.day[WEEKDAYS[i] ?? "mon"];
  const list = runs(days).map(([a, b]) => (a === b ? name(a) : r.dayRange(name(a), name(b))));
  return r.window(days.every(Boolean) ? r.everyDay : r.dayList(list), from, to, to <= from);
}

/** Of `schedule` as a file has it, one window or several; null for always. */
export function scheduleInWords(schedule: unknown, words: Words): string | null {
  if (schedule === undefined || schedule === null) return null;
  const windows: unknown[] = Array.isArray(schedule) ? schedule : [schedule];
  return windows.map((window) => windowOf(window, words)).join(words.rules.or);
}

/** A step's value: a share in percent, seconds as a duration, others as they are. */
function stepValue(kind: RuleKind, value: unknown, words: Words): string {
  if (typeof value !== "number") return words.rules.missing;
  if (kind === "counter_flow") return value.toLocaleString(words.locale, { style: "percent" });
  const unit = kind === "loitering" || kind === "vanished" ? words.unit.s : "";
  return unit === "" ? number(value, words) : `${number(value, words)}${words.rules.glue}${unit}`;
}

export function factsOf(rule: RuleRaw, place: ZoneRaw | LineRaw, schema: unknown, words: Words): Facts {
  const kind = rule.kind as RuleKind;
  const fields = fieldsOf(schema, kind);
  const value = (name: string): unknown => rule[name] ?? fields.find((f) => f.name === name)?.fallback;
  const usual = (name: string): unknown => fields.find((f) => f.name === name)?.fallback;
  const duration = (name: string): string => spoken(value(name), DURATION_UNITS, words);
  const positive = (name: string): string | null => ((seconds(value(name)) ?? 0) > 0 ? duration(name) : null);
  const severityValue = value("severity");
  const severity: Severity = isSeverity(severityValue) ? severityValue : "moderate";
  const [left, right] = "points" in place ? [place.left ?? words.rules.left, place.right ?? words.rules.right] : ["", ""];
  const direction = rule["direction"];
  const steps = value("escalate");
  const share = value("share");
  const people = value("people");
  const worse = (Array.isArray(steps) ? (steps as Record<string, unknown>[]) : []).filter((s) => isSeverity(s["severity"]));
  return {
    kind,
    place: place.name ?? place.id,
    people: number(people, words),
    density: number(value("density"), words),
    radius: kind === "loitering" && rule["mode"] !== "linger" ? null : spoken(value("radius"), LENGTH_UNITS, words),
    standing: rule["standing"] === true,
    dwell: duration("dwell"),
    from: direction === "left_to_right" ? left : direction === "right_to_left" ? right : null,
    to: direction === "left_to_right" ? right : direction === "right_to_left" ? left : null,
    drawn: Array.isArray(rule["along"]),
    distance: spoken(value("distance"), LENGTH_UNITS, words),
    share: typeof share === "number" ? share.toLocaleString(words.locale, { style: "percent" }) : words.rules.missing,
    speed: spoken(value("speed"), SPEED_UNITS, words),
    factor: number(value("factor"), words),
    exempt: rule["exempt_together"] === true,
    queue: kind === "proximity" && typeof people === "number" && people > 2,
    after: duration("after"),
    hold: positive("hold"),
    gap: rule["gap"] === undefined || seconds(rule["gap"]) === seconds(usual("gap")) ? null : positive("gap"),
    cooldown: positive("cooldown"),
    severity,
    severityWord: words.severity[severity],
    steps: worse
      .filter((s) => SEVERITIES.indexOf(s["severity"] as Severity) > SEVERITIES.indexOf(severity))
      .map((s) => ({ value: stepValue(kind, s["value"], words), severity: words.severity[s["severity"] as Severity] })),
    schedule: scheduleInWords(rule["schedule"], words),
  };
}

/** The sentence in the language of `words`. */
export function sentence(rule: RuleRaw, place: ZoneRaw | LineRaw, schema: unknown, words: Words): string {
  return words.rules.sentence(factsOf(rule, place, schema, words));
}
