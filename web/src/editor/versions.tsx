/** Who changed the camera's file, when and why; and the way back. */

import { useState } from "preact/hooks";

import { api } from "../api";
import type { Version } from "../api/types";
import { may } from "../session";
import { Dialog } from "../ui/dialog";
import { note } from "../ui/notes";
import { ErrorNote } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { longMoment, t } from "../words";
import { diff } from "./diff";
import type { Editor } from "./state";

export function Versions({ editor }: { editor: Editor }) {
  const w = t();
  const { id, etag } = editor.base.value;
  const list = useAsked(`history ${id} ${etag}`, () => api.history(id));
  const [shown, setShown] = useState<Version | null>(null);
  if (list.error !== null) return <ErrorNote error={list.error} retry={list.again} />;
  const versions = list.data?.versions ?? [];
  return (
    <section class="page narrow">
      <h1>{w.history.title}</h1>
      {list.data !== null && versions.length === 0 && <p class="soft">{w.history.none}</p>}
      {versions.length > 0 && (
        <div class="scroll card">
          <table class="data">
            <thead>
              <tr>
                <th>{w.history.when}</th>
                <th>{w.history.who}</th>
                <th>{w.history.why}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {versions.map((version, i) => (
                <tr key={version.version}>
                  <td>
                    <time datetime={version.at}>{longMoment(version.at)}</time>
                  </td>
                  <th scope="row">{version.who === "" ? <span class="soft">{w.history.byHand}</span> : version.who}</th>
                  <td>{version.reason === "" && version.who !== "" ? <span class="soft">{w.history.noReason}</span> : version.reason}</td>
                  <td class="number">
                    {version.etag === etag && i === versions.findIndex((v) => v.etag === etag) && <span class="tag now">{w.history.current}</span>}
                    <button type="button" class="plain" onClick={() => setShown(version)}>
                      {w.history.show}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown !== null && <OneVersion key={shown.version} editor={editor} version={shown} close={() => setShown(null)} />}
    </section>
  );
}

function OneVersion({ editor, version, close }: { editor: Editor; version: Version; close: () => void }) {
  const w = t();
  const { id, etag } = editor.base.value;
  const text = useAsked(`version ${id} ${version.version}`, () => api.version(id, version.version));
  const [reason, setReason] = useState("");
  const act = useAct();
  const lines = text.data === null ? [] : diff(text.data.before ?? "", text.data.toml);
  const restore = (event: Event): void => {
    event.preventDefault();
    act.run(async () => {
      const saved = await api.restore(id, version.version, etag, reason.trim());
      editor.rebase(saved.data, false);
      note(w.history.restored);
      close();
    });
  };
  return (
    <Dialog title={w.history.version(version.version)} close={close} wide>
      <div class="body">
        <p class="soft">{[longMoment(version.at), version.who === "" ? w.history.byHand : version.who, version.reason].filter((text) => text !== "").join(" · ")}</p>
        {text.error !== null && <ErrorNote error={text.error} retry={text.again} />}
        {text.data !== null && lines.length === 0 && <p class="soft">{w.history.noChanges}</p>}
        {lines.length > 0 && (
          <pre class="diff" translate={false}>
            {lines.map((line, i) => (
              <span key={i} class={line.sign === "+" ? "came" : line.sign === "-" ? "went" : ""}>
                {`${line.sign} ${line.text}\n`}
              </span>
            ))}
          </pre>
        )}
      </div>
      {may("edit_zones") && version.etag !== etag && (
        <form onSubmit={restore}>
          <label class="field">
            <span>{w.editor.reason}</span>
            <input required maxLength={200} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
          </label>
          {act.error !== null && <ErrorNote error={act.error} />}
          <p class="actions">
            <button type="submit" class="primary" disabled={act.busy}>
              {w.history.restoreTitle(version.version)}
            </button>
          </p>
        </form>
      )}
    </Dialog>
  );
}
