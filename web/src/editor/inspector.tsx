/** Beside the picture: all shapes, and what is set of the selected one. */

import { useState } from "preact/hooks";

import type { LineRaw, MaskRaw, RuleRaw, ZoneRaw } from "../api/types";
import type { RuleKind } from "../rules/facts";
import { RuleForm } from "../rules/form";
import { kindsOf, starter } from "../rules/schema";
import { sentence } from "../rules/sentence";
import { Icon } from "../ui/icons";
import type { IconName } from "../ui/icons";
import { SnoozeForm } from "../ui/snooze";
import { t } from "../words";
import type { Place, Shape, Sort } from "./draft";
import { freeId, ruleIds, rulesOf, shapeAt } from "./draft";
import type { Editor } from "./state";
import type { Remark } from "./warnings";

interface Props {
  editor: Editor;
  schema: unknown;
  readOnly: boolean;
  found: readonly Remark[];
}

const ICONS: Record<Sort, IconName> = { zone: "zone", line: "line", mask: "mask" };

export function Inspector(props: Props) {
  const at = props.editor.selection.value;
  const shape = at === null ? undefined : shapeAt(props.editor.draft.value, at.place);
  return (
    <div class="inspector">
      <Shapes {...props} />
      {at !== null && shape !== undefined && <Selected key={`${at.place.sort}${at.place.index}`} {...props} place={at.place} shape={shape} />}
    </div>
  );
}

function Shapes({ editor, found }: Props) {
  const w = t();
  const draft = editor.draft.value;
  const at = editor.selection.value?.place;
  const none: Record<Sort, string> = { zone: w.editor.noZones, line: w.editor.noLines, mask: w.editor.noMasks };
  const title: Record<Sort, string> = { zone: w.editor.zonesTitle, line: w.editor.linesTitle, mask: w.editor.masksTitle };
  return (
    <nav class="shapes" aria-label={w.editor.shapes}>
      {(["zone", "line", "mask"] as const).map((sort) => (
        <section key={sort}>
          <h2>{title[sort]}</h2>
          {draft[sort].length === 0 && <p class="soft small">{none[sort]}</p>}
          <ul>
            {draft[sort].map((shape: Shape, index: number) => {
              const rules = rulesOf(shape);
              const mine = found.filter((r) => r.sort === sort && r.index === index);
              const level = mine.some((r) => r.level === "error") ? "error" : mine.length > 0 ? "warning" : "";
              return (
                <li key={index}>
                  <button type="button" class={`plain entry ${level}`} aria-current={at?.sort === sort && at.index === index ? "true" : undefined} onClick={() => editor.select({ sort, index })}>
                    <Icon name={ICONS[sort]} />
                    <span class="name">{"id" in shape ? (shape.name ?? shape.id) : `${w.editor.mask} ${index + 1}`}</span>
                    <span class="kinds">{rules.map((rule) => w.kind[rule.kind]).join(" · ")}</span>
                    {level !== "" && <Icon name="warn" />}
                  </button>
                </li>
              );
            })}
          </ul>
        </section>
      ))}
    </nav>
  );
}

function Selected({ editor, schema, readOnly, found, place, shape }: Props & { place: Place; shape: Shape }) {
  const w = t();
  const mine = found.filter((r) => r.sort === place.sort && r.index === place.index);
  const own = mine.filter((r) => r.rule === null && r.field === null);
  const title = { zone: w.editor.zone, line: w.editor.line, mask: w.editor.mask }[place.sort];
  const name = "id" in shape ? (shape.name ?? shape.id) : title;
  return (
    <section class="selected">
      <header>
        <h2>{title}</h2>
        <span class="grow" />
        {!readOnly && (
          <button
            type="button"
            class="plain danger"
            onClick={() => {
              if (rulesOf(shape).length === 0 || confirm(w.editor.removeSure(name))) editor.removeShape(place);
            }}
          >
            <Icon name="trash" />
            {w.act.remove}
          </button>
        )}
      </header>
      {own.map((remark) => (
        <p key={remark.word} class={`remark ${remark.level}`}>
          {w.warn[remark.word]}
        </p>
      ))}
      {"kind" in shape ? <MaskFields editor={editor} place={place} shape={shape} readOnly={readOnly} /> : <PlaceFields editor={editor} place={place} shape={shape} readOnly={readOnly} found={mine} />}
      {!("kind" in shape) && <Rules editor={editor} schema={schema} readOnly={readOnly} found={mine} place={place} shape={shape} />}
    </section>
  );
}

function MaskFields({ editor, place, shape, readOnly }: { editor: Editor; place: Place; shape: MaskRaw; readOnly: boolean }) {
  const w = t();
  return (
    <div class="choices">
      {(["privacy", "ignore"] as const).map((kind) => (
        <label key={kind}>
          <input type="radio" name="mask" disabled={readOnly} checked={shape.kind === kind} onChange={() => editor.edit(place, { kind }, null)} />
          <span>{w.editor.maskKind[kind]}</span>
        </label>
      ))}
    </div>
  );
}

interface PlaceProps {
  editor: Editor;
  place: Place;
  shape: ZoneRaw | LineRaw;
  readOnly: boolean;
  found: readonly Remark[];
}

function PlaceFields({ editor, place, shape, readOnly, found }: PlaceProps) {
  const w = t();
  const text = (field: "id" | "name" | "left" | "right" | "grid", label: string, value: string | undefined, hint?: string) => {
    const wrong = found.find((r) => r.rule === null && r.field === field);
    return (
      <label class="field">
        <span>{label}</span>
        <input
          name={field}
          title={hint}
          disabled={readOnly}
          maxLength={100}
          aria-invalid={wrong?.level === "error"}
          value={value ?? ""}
          onInput={(e) => editor.edit(place, { [field]: e.currentTarget.value }, `${field} of ${place.sort}${place.index}`)}
          onBlur={() => editor.settle()}
        />
        {wrong !== undefined && <em class={`remark ${wrong.level}`}>{w.warn[wrong.word]}</em>}
      </label>
    );
  };
  return (
    <>
      <div class="two">
        {text("name", w.editor.name, shape.name, w.editor.nameHint)}
        {text("id", w.editor.id, shape.id)}
      </div>
      {"points" in shape && (
        <>
          <div class="two">
            {text("left", w.editor.left, shape.left, w.editor.sides)}
            {text("right", w.editor.right, shape.right, w.editor.sides)}
          </div>
          <p class="small soft">
            {w.editor.sides}
            {!readOnly && (
              <button type="button" class="plain" onClick={() => editor.flip(place)}>
                <Icon name="flip" />
                {w.editor.flip}
              </button>
            )}
          </p>
        </>
      )}
    </>
  );
}

function Rules({ editor, schema, readOnly, found, place, shape }: Props & PlaceProps) {
  const w = t();
  const [adding, setAdding] = useState(false);
  const rules = rulesOf(shape);
  const kinds = kindsOf(schema, place.sort === "line" ? "line" : "zone");
  const add = (kind: RuleKind): void => {
    const id = freeId(`${shape.id}-${kind.replace("_", "-")}`, ruleIds(editor.draft.value));
    editor.setRules(place, [...rules, { id, kind, ...starter(kind) }]);
    setAdding(false);
  };
  return (
    <section class="rules">
      <h2>{w.editor.rules}</h2>
      {rules.length === 0 && <p class="small soft">{w.editor.noRules}</p>}
      {rules.map((rule, i) => (
        <RuleCard key={i} editor={editor} schema={schema} readOnly={readOnly} found={found.filter((r) => r.rule === i)} place={place} shape={shape} rule={rule} index={i} />
      ))}
      {!readOnly && !adding && (
        <button type="button" onClick={() => setAdding(true)}>
          <Icon name="plus" />
          {w.editor.addRule}
        </button>
      )}
      {adding && (
        <ul class="kind-list">
          {kinds.map((kind, i) => (
            <li key={kind}>
              <button type="button" class="plain" data-kind={kind} autofocus={i === 0} onClick={() => add(kind)}>
                <b>{w.kind[kind]}</b>
                <span class="soft">{w.rules.about[kind]}</span>
              </button>
            </li>
          ))}
          <li>
            <button type="button" class="plain" onClick={() => setAdding(false)}>
              {w.act.cancel}
            </button>
          </li>
        </ul>
      )}
    </section>
  );
}

function RuleCard({ editor, schema, readOnly, found, place, shape, rule, index }: Props & PlaceProps & { rule: RuleRaw; index: number }) {
  const w = t();
  const rules = rulesOf(shape);
  const kinds = kindsOf(schema, place.sort === "line" ? "line" : "zone");
  const known = kinds.includes(rule.kind as RuleKind);
  const set = (next: RuleRaw, about: string | null): void => editor.setRule(place, index, next, about);
  const remark = (field: string): { level: "error" | "warning"; text: string } | null => {
    const one = found.find((r) => r.field === field);
    return one === undefined ? null : { level: one.level, text: w.warn[one.word] };
  };
  const idRemark = remark("id");
  const inForce = rulesOf(shapeAt(editor.before.value, place)).some((old) => old.id === rule.id);
  return (
    <article class="rule" data-rule={rule.id}>
      <header>
        <h3>{w.kind[rule.kind]}</h3>
        <span class="grow" />
        {!readOnly && (
          <button type="button" class="plain square danger" title={w.act.remove} onClick={() => editor.setRules(place, rules.filter((_, i) => i !== index))}>
            <Icon name="trash" />
            <span class="hidden">{w.act.remove}</span>
          </button>
        )}
      </header>
      {known && <p class="sentence">{sentence(rule, shape, schema, w)}</p>}
      {found
        .filter((r) => r.field === null)
        .map((r) => (
          <p key={r.word} class={`remark ${r.level}`}>
            {w.warn[r.word]}
          </p>
        ))}
      <div class="rule-row">
        <label for={`${place.sort}-${place.index}-${index}-id`}>{w.editor.id}</label>
        <div class="control">
          <input
            id={`${place.sort}-${place.index}-${index}-id`}
            disabled={readOnly}
            maxLength={64}
            aria-invalid={idRemark?.level === "error"}
            value={rule.id}
            onInput={(e) => set({ ...rule, id: e.currentTarget.value }, `rule id ${place.sort}${place.index}.${index}`)}
            onBlur={() => editor.settle()}
          />
          {idRemark !== null && <p class={`remark ${idRemark.level}`}>{idRemark.text}</p>}
        </div>
      </div>
      {known && <RuleForm rule={rule} schema={schema} readOnly={readOnly} remark={remark} change={set} settle={() => editor.settle()} drawWay={() => editor.drawWay(place, index)} />}
      {inForce && <SnoozeForm camera={editor.base.value.id} rule={rule.id} />}
    </article>
  );
}
