/** Who did what. */

import { useState } from "preact/hooks";

import { api } from "../api";
import type { AuditEntry } from "../api/types";
import { ErrorNote } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { longMoment, t } from "../words";

export function AuditPage() {
  const w = t();
  const first = useAsked("audit", () => api.audit());
  const [older, setOlder] = useState<{ entries: AuditEntry[]; next: number | null } | null>(null);
  const act = useAct();
  const entries = [...(first.data?.entries ?? []), ...(older?.entries ?? [])];
  const next = older === null ? (first.data?.next ?? null) : older.next;
  const what = (word: string): string => (w.audit.word as Record<string, string>)[word] ?? word;
  return (
    <div class="page">
      <header class="page-head">
        <h1>{w.audit.title}</h1>
      </header>
      {first.error !== null && <ErrorNote error={first.error} retry={first.again} />}
      <div class="card scroll">
        <table class="data">
          <thead>
            <tr>
              <th>{w.audit.when}</th>
              <th>{w.audit.who}</th>
              <th>{w.audit.what}</th>
              <th>{w.audit.target}</th>
              <th>{w.audit.reason}</th>
              <th>{w.audit.detail}</th>
              <th>{w.audit.from}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id}>
                <td>
                  <time datetime={entry.at}>{longMoment(entry.at)}</time>
                </td>
                <th scope="row">{entry.who === "command" ? <span class="soft">{w.audit.command}</span> : entry.who}</th>
                <td>{what(entry.what)}</td>
                <td>{entry.target}</td>
                <td>{entry.reason}</td>
                <td class="soft">{entry.detail === null ? null : <code lang="en">{entry.detail}</code>}</td>
                <td class="soft">{entry.from}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {first.data !== null && entries.length === 0 && <p class="padded soft">{w.audit.none}</p>}
      </div>
      {act.error !== null && <ErrorNote error={act.error} />}
      {next !== null && (
        <button
          type="button"
          class="plain"
          disabled={act.busy}
          onClick={() =>
            act.run(async () => {
              const page = await api.audit(next);
              setOlder({ entries: [...(older?.entries ?? []), ...page.entries], next: page.next });
            })
          }
        >
          {w.act.more}
        </button>
      )}
    </div>
  );
}
