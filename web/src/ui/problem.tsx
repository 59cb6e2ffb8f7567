/** What went wrong, where it went wrong. */

import { ApiError } from "../api/client";
import type { Fault } from "../api/types";
import { t } from "../words";
import { Icon } from "./icons";

/** In the page's language. */
export function inWords(error: unknown): string {
  const e = t().error;
  if (!(error instanceof ApiError)) return e.server;
  switch (error.status) {
    case 0:
      return e.unreachable;
    case 400:
    case 422:
    case 428:
      return e.invalid;
    case 401:
      return e.unauthorized;
    case 403:
      return e.forbidden;
    case 404:
    case 410:
      return e.missing;
    case 405:
    case 501:
      return e.notYet;
    case 409:
    case 412:
      return e.conflict;
    case 413:
      return e.tooLarge;
    case 429:
      return e.tooOften;
    case 503:
      return e.unavailable;
    default:
      return e.server;
  }
}

export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const w = t();
  const detail = error instanceof ApiError ? error.problem?.detail : String(error);
  const faults = error instanceof ApiError ? error.faults : [];
  return (
    <div class="error" role="alert">
      <Icon name="warn" />
      <div>
        <p>{inWords(error)}</p>
        {faults.length > 0 && <Faults faults={faults} />}
        {detail !== undefined && detail !== "" && faults.length === 0 && (
          <details>
            <summary>{w.error.details}</summary>
            <code lang="en">{detail}</code>
          </details>
        )}
        {retry !== undefined && (
          <button type="button" onClick={retry}>
            {w.act.retry}
          </button>
        )}
      </div>
    </div>
  );
}

export function Faults({ faults }: { faults: Fault[] }) {
  const w = t();
  return (
    <ul class="faults">
      {faults.map((fault, i) => (
        <li key={i}>
          <span class="place">{w.error.at(fault.line, fault.column)}</span>
          {fault.field !== "" && <code translate={false}>{fault.field}</code>}
          <code lang="en">{fault.message}</code>
        </li>
      ))}
    </ul>
  );
}
