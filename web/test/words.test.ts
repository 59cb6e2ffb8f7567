import { describe, expect, it } from "vitest";

import type { RuleRaw, ZoneRaw } from "../src/api/types";
import { kindsOf, starter } from "../src/rules/schema";
import { scheduleInWords, sentence } from "../src/rules/sentence";
import { en } from "../src/words/en";
import type { Words } from "../src/words/en";
import { zh } from "../src/words/zh";
import { SCHEMA } from "./schema";

/** All texts of a dictionary with their path; functions by what they give for sample values. */
function texts(value: unknown, path: string): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") {
    if (path === ".rules.sentence" || path === ".rules.dayList") return [];
    return [[path, String((value as (...a: unknown[]) => unknown)(3, "甲", "乙", true))]];
  }
  return Object.entries(value as Record<string, unknown>).flatMap(([key, inner]) => texts(inner, `${path}.${key}`));
}

/** What is the same in both languages: names of formats, of the product and of keys. */
const NAMES = /Lookout|admin-password|CSV|CAP|GB\/T|Insert|Delete|Shift|Esc|English|zh-CN|^zh$|^en$/g;

describe("Chinese", () => {
  it("has no English left in it", () => {
    for (const [path, text] of texts(zh, "")) expect(text.replace(NAMES, ""), path).not.toMatch(/[A-Za-z]{2,}/);
  });
  it("is Chinese wherever the English has words", () => {
    const english = new Map(texts(en, ""));
    for (const [path, text] of texts(zh, "")) {
      const other = english.get(path) ?? "";
      if (!/[A-Za-z]{3,}/.test(other.replace(NAMES, ""))) continue;
      expect(text, path).toMatch(/[\u4e00-\u9fff]/);
    }
  });
  it("is not in the English", () => {
    for (const [path, text] of texts(en, "")) {
      if (path !== ".otherLanguage") expect(text.replace(/[甲乙]/g, ""), path).not.toMatch(/[\u4e00-\u9fff]/);
    }
  });
});

it("every field, choice and kind of a rule in the schema has its words", () => {
  const defs = (SCHEMA as { $defs: Record<string, { properties?: Record<string, unknown>; oneOf?: { const: string }[] }> }).$defs;
  const fields = Object.keys(defs["RuleRaw"]?.properties ?? {}).filter((name) => name !== "id" && name !== "kind");
  expect(Object.keys(en.rules.field).sort()).toEqual(fields.sort());
  expect(Object.keys(en.rules.hint).sort()).toEqual(fields.sort());
  for (const name of ["StayRaw", "Direction", "Anchor", "Severity"]) {
    for (const option of defs[name]?.oneOf ?? []) expect(en.rules.choice).toHaveProperty(option.const);
  }
  for (const kind of [...kindsOf(SCHEMA, "zone"), ...kindsOf(SCHEMA, "line")]) expect(en.rules.about).toHaveProperty(kind);
});

const ZONE: ZoneRaw = { id: "steps", name: "台阶", polygon: [] };

function say(rule: Partial<RuleRaw>, words: Words): string {
  return sentence({ id: "r", ...rule } as RuleRaw, ZONE, SCHEMA, words);
}

describe("a sentence", () => {
  it("says what a crowd rule does, in both languages", () => {
    const rule = { kind: "crowd", people: 12, hold: "10s", escalate: [{ value: 25, severity: "severe" }] } as Partial<RuleRaw>;
    expect(say(rule, en)).toBe("Raises a moderate alert when 12 or more people are in “台阶” for 10 s. From 25 on it is severe.");
    expect(say(rule, zh)).toBe("在“台阶”内有12人或以上并持续10秒时，发出较重告警。达到25时升为严重。");
  });
  it("fills in what is usual for the kind", () => {
    expect(say({ kind: "density" }, en)).toContain("2 or more people a square metre");
    expect(say({ kind: "density" }, en)).toContain("for 10 s. From 3.5 on it is severe. From 4.5 on it is extreme.");
    expect(say({ kind: "rush" }, en)).toContain("5 or more people move at 2.5 m/s or faster, and 2 times as fast as usual");
    expect(say({ kind: "vanished", after: "20s" }, en)).toContain("a minor alert");
  });
  it("shows a gap only where it is not the usual one", () => {
    expect(say({ kind: "loitering", dwell: "2m", gap: "2s" }, en)).not.toContain("Interruptions");
    expect(say({ kind: "loitering", dwell: "2m", gap: "3s" }, en)).toContain("Interruptions of up to 3 s do not matter.");
  });
  it("has no hole, whatever the kind", () => {
    for (const kind of [...kindsOf(SCHEMA, "zone"), ...kindsOf(SCHEMA, "line")]) {
      for (const words of [en, zh]) {
        const text = say({ kind, ...starter(kind) }, words);
        expect(text, kind).not.toMatch(/undefined|null|NaN|\[object/);
        if (kind !== "wrong_way" && kind !== "counter_flow") expect(text, kind).not.toContain(words.rules.missing);
      }
    }
  });
  it("puts windows in words", () => {
    const night = { weekdays: ["mon-fri", "sun"], from: "18:00", to: "08:00" };
    expect(scheduleInWords(night, en)).toBe("Mon–Fri, Sun 18:00 to 08:00 the next day");
    expect(scheduleInWords(night, zh)).toBe("周一至周五、周日18:00至次日08:00");
    expect(scheduleInWords([{ from: "08:00", to: "12:00" }, { from: "14:00", to: "18:00" }], en)).toBe("every day 08:00 to 12:00 or every day 14:00 to 18:00");
  });
});
