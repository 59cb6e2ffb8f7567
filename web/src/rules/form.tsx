/** A rule's form, made of the schema's fields. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { RuleRaw } from "../api/types";
import { t } from "../words";
import type { Words } from "../words/en";
import type { RuleKind } from "./facts";
import { NumberField } from "./number";
import type { Field } from "./schema";
import { fieldsOf, unitsOf } from "./schema";
import { ScheduleField } from "./schedule";
import { StepsField } from "./steps";
import { quantity, written } from "./units";

type Rules = Words["rules"];

interface Props {
  rule: RuleRaw;
  schema: unknown;
  readOnly: boolean;
  /** What is wrong with a field, in words. */
  remark: (field: string) => { level: "error" | "warning"; text: string } | null;
  change: (rule: RuleRaw, about: string) => void;
  settle: () => void;
  drawWay: () => void;
}

/** Shown without asking for more. */
const FIRST = ["hold", "severity", "schedule"];

export function nameOfField(name: string, rules: Rules): string {
  return (rules.field as Record<string, string>)[name] ?? name;
}

export function RuleForm(props: Props) {
  const w = t();
  const all = fieldsOf(props.schema, props.rule.kind as RuleKind);
  // Who may move anywhere in the zone has no radius.
  const anywhere = props.rule.kind === "loitering" && props.rule["mode"] !== "linger";
  const fields = all.filter((field) => !(anywhere && field.name === "radius" && props.rule["radius"] === undefined));
  const main = fields.filter((field) => field.own || FIRST.includes(field.name));
  const rest = fields.filter((field) => !main.includes(field));
  const used = rest.some((field) => props.rule[field.name] !== undefined || props.remark(field.name) !== null);
  return (
    <div class="rule-form">
      {main.map((field) => (
        <Row key={field.name} field={field} {...props} />
      ))}
      <details open={used}>
        <summary>{w.editor.moreSettings}</summary>
        {rest.map((field) => (
          <Row key={field.name} field={field} {...props} />
        ))}
      </details>
    </div>
  );
}

function Row({ field, rule, readOnly, remark, change, settle, drawWay }: Props & { field: Field }) {
  const w = t();
  const found = remark(field.name);
  const set = (value: unknown): void => {
    const next: RuleRaw = { ...rule, [field.name]: value };
    if (value === undefined || value === "") Reflect.deleteProperty(next, field.name);
    change(next, `rule ${rule.id} ${field.name}`);
  };
  const hint = (w.rules.hint as Record<string, string>)[field.name] ?? field.description;
  const id = `${rule.id}-${field.name}`;
  const invalid = found?.level === "error";
  const usual = usualOf(field, w);
  return (
    <div class={`rule-row ${found?.level ?? ""}`} onFocusOut={settle}>
      <label for={id} title={hint}>
        {nameOfField(field.name, w.rules)}
        {field.required && <abbr title={w.editor.required}>*</abbr>}
      </label>
      <div class="control">
        <Control id={id} field={field} value={rule[field.name]} set={set} readOnly={readOnly} invalid={invalid} usual={usual} drawWay={drawWay} />
        {found !== null && <p class={`remark ${found.level}`}>{found.text}</p>}
      </div>
    </div>
  );
}

/** What is taken where nothing is written, in words. */
function usualOf(field: Field, w: Words): string {
  const units = unitsOf(field.type);
  const value = field.fallback;
  if (value === undefined) return "";
  if (units !== undefined) {
    const found = quantity(value, units);
    return found === null ? "" : w.editor.default(`${found.value} ${unitName(found.unit, field, w)}`);
  }
  if (typeof value === "number") return w.editor.default(String(value));
  if (typeof value === "string") return w.editor.default((w.rules.choice as Record<string, string>)[value] ?? value);
  return "";
}

function unitName(unit: string, field: Field, w: Words): string {
  return w.unit[(field.type === "duration" && unit === "m" ? "min" : unit) as keyof Words["unit"]];
}

interface ControlProps {
  id: string;
  field: Field;
  value: unknown;
  set: (value: unknown) => void;
  readOnly: boolean;
  invalid: boolean;
  usual: string;
  drawWay: () => void;
}

function Control(props: ControlProps): ComponentChildren {
  const w = t();
  const { id, field, value, set, readOnly, invalid, usual } = props;
  switch (field.type) {
    case "duration":
    case "length":
    case "speed":
      return <QuantityField {...props} />;
    case "integer":
    case "number":
      return <NumberField id={id} value={value} set={set} readOnly={readOnly} invalid={invalid} usual={usual} whole={field.type === "integer"} />;
    case "flag":
      return <input id={id} type="checkbox" disabled={readOnly} checked={value === true} onChange={(e) => set(e.currentTarget.checked ? true : undefined)} />;
    case "choice":
      return (
        <select id={id} disabled={readOnly} aria-invalid={invalid} value={typeof value === "string" ? value : ""} onChange={(e) => set(e.currentTarget.value)}>
          <option value="">{usual === "" ? w.editor.unset : usual}</option>
          {field.choices.map((choice) => (
            <option key={choice} value={choice}>
              {(w.rules.choice as Record<string, string>)[choice] ?? choice}
            </option>
          ))}
        </select>
      );
    case "way":
      return <WayField {...props} />;
    case "steps":
      return <StepsField value={value} set={set} readOnly={readOnly} />;
    case "schedule":
      return <ScheduleField value={value} set={set} readOnly={readOnly} />;
  }
}

function WayField({ id, field, value, set, readOnly, drawWay }: ControlProps) {
  const w = t();
  const drawn = Array.isArray(value);
  return (
    <span class="way-field">
      <span class="soft">{drawn ? w.editor.points(value.length) : field.required ? w.editor.wayMissing : w.editor.wayNone}</span>
      {!readOnly && (
        <button id={id} type="button" onClick={drawWay}>
          {drawn ? w.editor.wayRedraw : w.editor.wayDraw}
        </button>
      )}
      {!readOnly && drawn && !field.required && (
        <button type="button" class="plain" onClick={() => set(undefined)}>
          {w.act.remove}
        </button>
      )}
    </span>
  );
}

function QuantityField({ id, field, value, set, readOnly, invalid, usual }: ControlProps) {
  const w = t();
  const units = unitsOf(field.type) ?? [];
  const now = quantity(value, units);
  const fallback = quantity(field.fallback, units);
  const [unit, setUnit] = useState(now?.unit ?? fallback?.unit ?? units[0] ?? "");
  useEffect(() => {
    if (now !== null) setUnit(now.unit);
  }, [now?.unit]);
  const take = (number: unknown, of: string): void => {
    if (number === undefined) set(undefined);
    else set(typeof number === "number" ? written({ value: number, unit: of }) : number);
  };
  return (
    <span class="quantity">
      <NumberField id={id} value={now === null ? value : now.value} set={(number) => take(number, unit)} readOnly={readOnly} invalid={invalid} usual={usual} whole={false} />
      <select
        aria-label={nameOfField(field.name, w.rules)}
        disabled={readOnly}
        value={unit}
        onChange={(e) => {
          setUnit(e.currentTarget.value);
          if (now !== null) take(now.value, e.currentTarget.value);
        }}
      >
        {units.map((each) => (
          <option key={each} value={each}>
            {unitName(each, field, w)}
          </option>
        ))}
      </select>
    </span>
  );
}
