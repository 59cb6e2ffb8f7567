/** The fields of a rule's form, read out of the configuration's JSON Schema. */

import type { RuleKind } from "./facts";
import { DURATION_UNITS, LENGTH_UNITS, SPEED_UNITS } from "./units";

export type FieldType = "duration" | "length" | "speed" | "integer" | "number" | "flag" | "choice" | "way" | "steps" | "schedule";

export interface Field {
  name: string;
  type: FieldType;
  /** Of a choice. */
  choices: string[];
  /** In the schema's words. */
  description: string;
  required: boolean;
  /** What is taken where nothing is written; undefined where that depends on something else. */
  fallback: unknown;
  /** Belongs to this kind rather than to the machine that all share. */
  own: boolean;
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((v) => typeof v === "string") : [];
}

function definition(schema: Json, name: string): Json {
  const defs = schema["$defs"];
  const found = isObject(defs) ? defs[name] : undefined;
  return isObject(found) ? found : {};
}

const UNITS_OF: Partial<Record<FieldType, readonly string[]>> = {
  duration: DURATION_UNITS,
  length: LENGTH_UNITS,
  speed: SPEED_UNITS,
};

/** The units of a quantity's type; undefined for other types. */
export function unitsOf(type: FieldType): readonly string[] | undefined {
  return UNITS_OF[type];
}

const NAMED: Record<string, FieldType> = { Duration: "duration", Length: "length", Speed: "speed", ScheduleRaw: "schedule" };

function typeOf(schema: Json, property: Json): { type: FieldType; choices: string[] } | null {
  const reference = typeof property["$ref"] === "string" ? property["$ref"].split("/").pop() : undefined;
  if (reference !== undefined) {
    const named = NAMED[reference];
    if (named !== undefined) return { type: named, choices: [] };
    const options = definition(schema, reference)["oneOf"];
    const choices = strings(Array.isArray(options) ? options.map((o) => (isObject(o) ? o["const"] : null)) : []);
    return choices.length > 0 ? { type: "choice", choices } : null;
  }
  switch (property["type"]) {
    case "integer":
      return { type: "integer", choices: [] };
    case "number":
      return { type: "number", choices: [] };
    case "boolean":
      return { type: "flag", choices: [] };
    case "array": {
      const items = property["items"];
      const steps = isObject(items) && typeof items["$ref"] === "string";
      return { type: steps ? "steps" : "way", choices: [] };
    }
    default:
      return null;
  }
}

/** Kinds of rules that a zone or a line takes, in the schema's order. */
export function kindsOf(schema: unknown, place: "zone" | "line"): RuleKind[] {
  if (!isObject(schema)) return [];
  const options = definition(schema, "Kind")["oneOf"];
  const all = strings(Array.isArray(options) ? options.map((o) => (isObject(o) ? o["const"] : null)) : []);
  const rules = all.filter((kind) => kind !== "occupancy" && kind !== "health") as RuleKind[];
  return rules.filter((kind) => (kind === "crossing") === (place === "line"));
}

/** Fields as people think of a rule; a schema has them by their names. */
const ORDER = "people density share speed factor distance dwell mode radius after direction along standing exempt_together hold severity escalate schedule gap release cooldown".split(" ");

function rankOf(name: string): number {
  const at = ORDER.indexOf(name);
  return at < 0 ? ORDER.length : at;
}

/** The fields that a rule of this kind takes, the most important first. Those of a type that no form knows are left out:
 *  the file keeps them. */
export function fieldsOf(schema: unknown, kind: RuleKind): Field[] {
  if (!isObject(schema)) return [];
  const properties = definition(schema, "RuleRaw")["properties"];
  if (!isObject(properties)) return [];
  const out: Field[] = [];
  for (const [name, property] of Object.entries(properties)) {
    if (name === "id" || name === "kind" || !isObject(property)) continue;
    const kinds = property["x-kinds"];
    if (Array.isArray(kinds) && !kinds.includes(kind)) continue;
    const type = typeOf(schema, property);
    if (type === null) continue;
    const defaults = isObject(property["x-default"]) ? property["x-default"] : {};
    const description = typeof property["description"] === "string" ? property["description"] : "";
    const required = strings(property["x-required"]).includes(kind);
    const shared = ["hold", "gap", "release"].includes(name);
    out.push({ name, ...type, description, required, fallback: defaults[kind] ?? defaults["*"], own: Array.isArray(kinds) && !shared });
  }
  return out.sort((a, b) => rankOf(a.name) - rankOf(b.name));
}

/** What a new rule of a kind starts with: values that somebody has to give, set to what is usual in the field. */
export function starter(kind: RuleKind): Record<string, unknown> {
  switch (kind) {
    case "crowd":
      return { people: 10, hold: "10s" };
    case "density":
      return {};
    case "gathering":
      return { people: 5, radius: "2m", hold: "20s", gap: "3s" };
    case "loitering":
      return { dwell: "120s", gap: "3s" };
    case "intrusion":
      return { hold: "1s" };
    case "proximity":
      return { distance: "1m" };
    case "vanished":
      return { after: "20s" };
    default:
      return {};
  }
}
