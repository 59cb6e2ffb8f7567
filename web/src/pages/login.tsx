/** Logging in, and the change of a password. */

import { useState } from "preact/hooks";

import { ApiError } from "../api/client";
import { switchTheme, theme } from "../look";
import { address, go } from "../route";
import { changePassword, login, logout } from "../session";
import { Icon, Mark } from "../ui/icons";
import { note } from "../ui/notes";
import { ErrorNote } from "../ui/problem";
import { useAct } from "../ui/use";
import { setLanguage, t } from "../words";

/** As the server asks for. */
export const SHORTEST_PASSWORD = 12;

function Card({ title, children }: { title: string; children: preact.ComponentChildren }) {
  const w = t();
  return (
    <div class="login">
      <main class="card">
        <div class="brand">
          <Mark />
          <b>{w.app.name}</b>
        </div>
        <h1>{title}</h1>
        {children}
      </main>
      <p class="promise">{w.app.promise}</p>
      <p class="choices">
        <button type="button" class="plain" lang={w.otherCode} onClick={() => setLanguage(w.otherCode === "zh" ? "zh" : "en")}>
          {w.otherLanguage}
        </button>
        <button type="button" class="plain" onClick={switchTheme}>
          <Icon name={theme.value === "dark" ? "sun" : "moon"} />
          {theme.value === "dark" ? w.app.light : w.app.dark}
        </button>
      </p>
    </div>
  );
}

export function LoginPage() {
  const w = t();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, error, run } = useAct();
  const refused = error instanceof ApiError && error.status === 401;
  const tooOften = error instanceof ApiError && error.status === 429;
  return (
    <Card title={w.login.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(() => login(name, password));
        }}
      >
        <label class="field">
          <span>{w.login.name}</span>
          <input name="name" autocomplete="username" required autofocus value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{w.login.password}</span>
          <input name="password" type="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
        </label>
        {refused && (
          <p class="error" role="alert">
            {w.login.wrong}
          </p>
        )}
        {tooOften && (
          <p class="error" role="alert">
            {w.login.tooOften(error.retryAfter ?? 60)}
          </p>
        )}
        {error !== null && !refused && !tooOften && <ErrorNote error={error} />}
        <button type="submit" class="primary" disabled={busy}>
          {w.login.submit}
        </button>
        <p class="small soft">{w.login.first}</p>
      </form>
    </Card>
  );
}

export function ChangePassword({ forced = false }: { forced?: boolean }) {
  const w = t();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const { busy, error, run } = useAct();
  const refused = error instanceof ApiError && error.status === 403;
  const easy = error instanceof ApiError && error.status === 422;
  const submit = (event: Event): void => {
    event.preventDefault();
    const fault = next.length < SHORTEST_PASSWORD ? w.login.short : next !== again ? w.login.differ : null;
    setWrong(fault);
    if (fault !== null) return;
    run(async () => {
      await changePassword(old, next);
      note(w.login.changed);
      go(address("wall"));
    });
  };
  const field = (label: string, value: string, set: (v: string) => void, complete: string, autofocus = false) => (
    <label class="field">
      <span>{label}</span>
      <input type="password" autocomplete={complete} required autofocus={autofocus} value={value} onInput={(e) => set(e.currentTarget.value)} />
    </label>
  );
  return (
    <Card title={w.login.changeTitle}>
      <form onSubmit={submit}>
        {forced && <p>{w.login.mustChange}</p>}
        {field(w.login.old, old, setOld, "current-password", true)}
        {field(w.login.next, next, setNext, "new-password")}
        {field(w.login.again, again, setAgain, "new-password")}
        <p class="small soft">{w.login.rule}</p>
        {wrong !== null && (
          <p class="error" role="alert">
            {wrong}
          </p>
        )}
        {(refused || easy) && (
          <p class="error" role="alert">
            {refused ? w.login.oldWrong : w.login.easy}
          </p>
        )}
        {error !== null && !refused && !easy && <ErrorNote error={error} />}
        <button type="submit" class="primary" disabled={busy}>
          {w.login.change}
        </button>
        {forced ? (
          <button type="button" class="plain" onClick={() => void logout()}>
            {w.app.logout}
          </button>
        ) : (
          <a class="button plain" href={address("wall")}>
            {w.act.cancel}
          </a>
        )}
      </form>
    </Card>
  );
}
