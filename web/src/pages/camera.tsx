/** One camera: its zones and rules on the picture, what they would raise, and the history of its file. */

import { useEffect, useMemo, useState } from "preact/hooks";

import { api } from "../api";
import type { CameraConfig, Ground } from "../api/types";
import { Canvas } from "../editor/canvas";
import { Inspector } from "../editor/inspector";
import { EditorPicture } from "../editor/picture";
import { RemoveDialog } from "../editor/remove";
import { SaveDialog } from "../editor/save";
import { Editor } from "../editor/state";
import type { Tool } from "../editor/state";
import { Versions } from "../editor/versions";
import { horizonOf, remarks } from "../editor/warnings";
import { WhatIfPanel } from "../editor/whatif";
import { cameraName, cameras } from "../live/cameras";
import { address, guardLeave } from "../route";
import { may } from "../session";
import { Icon } from "../ui/icons";
import type { IconName } from "../ui/icons";
import { ErrorNote, Faults } from "../ui/problem";
import { useAsked } from "../ui/use";
import { measured, t } from "../words";
import { Health } from "./wall";

export function CameraPage({ id, tab }: { id: string; tab: string }) {
  const config = useAsked(id, async () => (await api.config(id)).data);
  const schema = useAsked("schema", () => api.schema());
  const ground = useAsked(`ground ${id}`, () => api.ground(id));
  const error = config.error ?? schema.error;
  if (error !== null) return <ErrorNote error={error} retry={config.error === null ? schema.again : config.again} />;
  if (config.data === null || schema.data === null) return <p class="blank">{t().app.loading}</p>;
  return <CameraEditor config={config.data} schema={schema.data} ground={ground.data} tab={tab} />;
}

interface Props {
  config: CameraConfig;
  schema: unknown;
  ground: Ground | null;
  tab: string;
}

function CameraEditor({ config, schema, ground, tab }: Props) {
  const w = t();
  const editor = useMemo(() => new Editor(config), []);
  const unsaved = editor.unsaved.value > 0;
  useEffect(() => {
    guardLeave(unsaved ? () => confirm(t().editor.leave) : null);
    return () => guardLeave(null);
  }, [unsaved]);
  const id = config.id;
  const camera = cameras.value?.find((c) => c.id === id);
  const tabs = [
    ["zones", w.editor.zones],
    ["history", w.editor.history],
    ["file", w.editor.file],
  ] as const;
  return (
    <div class="camera">
      <div class="bar">
        <a class="button plain square" href={address("wall", id)} title={w.act.back}>
          <Icon name="back" />
          <span class="hidden">{w.act.back}</span>
        </a>
        <h1>{cameraName(id)}</h1>
        {camera !== undefined && <Health camera={camera} />}
        <nav class="tabs">
          {tabs.map(([name, label]) => (
            <a key={name} href={address("camera", id, name)} aria-current={tab === name ? "page" : undefined}>
              {label}
            </a>
          ))}
        </nav>
      </div>
      {editor.base.value.faults.length > 0 && (
        <div class="error">
          <Icon name="warn" />
          <div>
            <p>{w.editor.notInForce}</p>
            <Faults faults={editor.base.value.faults} />
          </div>
        </div>
      )}
      {tab === "history" ? <Versions editor={editor} /> : tab === "file" || editor.base.value.camera === null ? <FileView editor={editor} /> : <Zones editor={editor} schema={schema} ground={ground} />}
    </div>
  );
}

function FileView({ editor }: { editor: Editor }) {
  const w = t();
  const [removing, setRemoving] = useState(false);
  return (
    <section class="page narrow">
      <h1 translate={false}>{editor.base.value.file}</h1>
      <pre class="file card" translate={false}>
        {editor.base.value.toml}
      </pre>
      {may("edit_source") && (
        <p class="leaving">
          <button type="button" class="danger" onClick={() => setRemoving(true)}>
            <Icon name="trash" />
            {w.removing.title}
          </button>
          <span class="soft small">{w.removing.about}</span>
        </p>
      )}
      {removing && <RemoveDialog editor={editor} close={() => setRemoving(false)} />}
    </section>
  );
}

function Zones({ editor, schema, ground }: { editor: Editor; schema: unknown; ground: Ground | null }) {
  const w = t();
  const readOnly = !may("edit_zones");
  const [aspect, setAspect] = useState(4 / 3);
  const [frozen, setFrozen] = useState(false);
  const [grid, setGrid] = useState(false);
  const [names, setNames] = useState(true);
  const [saving, setSaving] = useState(false);
  const draft = editor.draft.value;
  const known = ground?.ready === true;
  const found = useMemo(() => remarks(draft, { schema, horizon: horizonOf(ground?.horizon ?? []), ground: known || editor.base.value.camera?.["ground"] !== undefined }), [draft, schema, ground]);
  const errors = found.filter((r) => r.level === "error").length;

  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || (event.target instanceof Element && event.target.closest("dialog") !== null)) return;
      const back = event.key.toLowerCase() === "z" && !event.shiftKey;
      const forth = event.key.toLowerCase() === "y" || (event.key.toLowerCase() === "z" && event.shiftKey);
      if (!back && !forth) return;
      event.preventDefault();
      if (back) editor.undo();
      else editor.redo();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [editor]);

  return (
    <div class="zones">
      <div class="work">
        <div class="toolbar" role="toolbar" aria-label={w.editor.zones}>
          {!readOnly && <Tools editor={editor} />}
          {!readOnly && <Steps editor={editor} />}
          <span class="grow" />
          <Toggle icon={frozen ? "play" : "pause"} on={frozen} set={setFrozen} label={frozen ? w.editor.picture.unfreeze : w.editor.picture.freeze} />
          <Toggle icon="grid" on={grid && known} set={setGrid} label={known ? w.editor.grid : w.editor.gridNone} disabled={!known} />
          <Toggle icon="menu" on={names} set={setNames} label={w.editor.labels} />
        </div>
        <Canvas editor={editor} readOnly={readOnly} aspect={aspect} ground={grid && known ? ground : null} names={names} found={found}>
          <EditorPicture camera={editor.base.value.id} name={cameraName(editor.base.value.id)} frozen={frozen} aspect={setAspect} />
        </Canvas>
        <p class="hint small soft">
          {readOnly ? w.editor.readOnly : editor.tool.value.kind === "select" ? w.editor.editHint : w.editor.drawHint}
          {grid && known && ground.step_m !== null && ` ${w.editor.gridStep(measured(ground.step_m, "m"))}`}
        </p>
        <WhatIfPanel editor={editor} errors={errors} />
      </div>
      <aside class="side">
        <Inspector editor={editor} schema={schema} readOnly={readOnly} found={found} />
        {!readOnly && <SaveBar editor={editor} errors={errors} warnings={found.length - errors} save={() => setSaving(true)} />}
      </aside>
      {saving && <SaveDialog editor={editor} close={() => setSaving(false)} />}
    </div>
  );
}

function Toggle({ icon, on, set, label, disabled = false }: { icon: IconName; on: boolean; set: (on: boolean) => void; label: string; disabled?: boolean }) {
  return (
    <button type="button" class="plain tool" aria-pressed={on} title={label} disabled={disabled} onClick={() => set(!on)}>
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
}

function Tools({ editor }: { editor: Editor }) {
  const w = t();
  const now = editor.tool.value;
  const isDrawing = (tool: Tool, sort: string): boolean => tool.kind === "draw" && tool.sort === sort;
  return (
    <>
      <button type="button" class="plain tool" aria-pressed={now.kind === "select"} title={w.editor.tool.select} onClick={() => editor.cancelDrawing()}>
        <Icon name="cursor" />
        <span>{w.editor.tool.select}</span>
      </button>
      {(["zone", "line", "mask"] as const).map((sort) => (
        <button key={sort} type="button" class="plain tool" data-tool={sort} aria-pressed={isDrawing(now, sort)} title={w.editor.tool[sort]} onClick={() => editor.draw(sort)}>
          <Icon name={sort} />
          <span>{w.editor.tool[sort]}</span>
        </button>
      ))}
    </>
  );
}

function Steps({ editor }: { editor: Editor }) {
  const w = t();
  const { past, future } = editor.steps.value;
  return (
    <>
      <button type="button" class="plain square" title={w.act.undo} disabled={past.length === 0} onClick={() => editor.undo()}>
        <Icon name="undo" />
        <span class="hidden">{w.act.undo}</span>
      </button>
      <button type="button" class="plain square" title={w.act.redo} disabled={future.length === 0} onClick={() => editor.redo()}>
        <Icon name="redo" />
        <span class="hidden">{w.act.redo}</span>
      </button>
    </>
  );
}

function SaveBar({ editor, errors, warnings, save }: { editor: Editor; errors: number; warnings: number; save: () => void }) {
  const w = t();
  const n = editor.unsaved.value;
  return (
    <footer class="savebar">
      <span>
        {n === 0 ? <span class="soft">{w.editor.saved}</span> : <b>{w.editor.unsaved(n)}</b>}
        {errors > 0 && <span class="remark error">{w.editor.faults(errors)}</span>}
        {warnings > 0 && <span class="remark warning">{w.editor.warnings(warnings)}</span>}
      </span>
      <span class="grow" />
      {n > 0 && (
        <button
          type="button"
          class="plain"
          onClick={() => {
            if (confirm(w.editor.discardSure)) editor.discard();
          }}
        >
          {w.editor.discard}
        </button>
      )}
      <button type="button" class="primary" disabled={n === 0 || errors > 0} onClick={save}>
        {w.act.save}
      </button>
    </footer>
  );
}
