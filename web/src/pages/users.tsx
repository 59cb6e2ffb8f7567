/** Who may use the console. */

import { useState } from "preact/hooks";

import { api } from "../api";
import type { Role, User } from "../api/types";
import { session } from "../session";
import { Actions, Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { ErrorNote } from "../ui/problem";
import { useAct, useAsked } from "../ui/use";
import { moment, t } from "../words";

const ROLES: readonly Role[] = ["viewer", "analyst", "operator", "admin"];

interface Secret {
  text: string;
  password: string;
}

export function UsersPage() {
  const w = t();
  const found = useAsked("users", () => api.users());
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<Secret | null>(null);
  const act = useAct();
  return (
    <div class="page narrow">
      <header class="page-head">
        <h1>{w.users.title}</h1>
        <span class="grow" />
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          <Icon name="plus" />
          {w.users.add}
        </button>
      </header>
      {found.error !== null && <ErrorNote error={found.error} retry={found.again} />}
      {act.error !== null && <ErrorNote error={act.error} />}
      <div class="card scroll">
        <table class="data">
          <thead>
            <tr>
              <th>{w.users.name}</th>
              <th>{w.users.role}</th>
              <th />
              <th />
            </tr>
          </thead>
          <tbody>
            {(found.data ?? []).map((user) => (
              <Row
                key={user.name}
                user={user}
                busy={act.busy}
                change={(change) =>
                  act.run(async () => {
                    await api.changeUser(user.name, change);
                    found.again();
                  })
                }
                reset={() =>
                  act.run(async () => {
                    const { password } = await api.resetPassword(user.name);
                    setSecret({ text: w.users.newPassword(user.name), password });
                    found.again();
                  })
                }
                remove={() =>
                  act.run(async () => {
                    if (!confirm(w.users.removeSure(user.name))) return;
                    await api.deleteUser(user.name);
                    found.again();
                  })
                }
              />
            ))}
          </tbody>
        </table>
      </div>
      <dl class="roles small">
        {ROLES.map((role) => (
          <div key={role}>
            <dt>{w.app.role[role]}</dt>
            <dd class="soft">{w.users.roles[role]}</dd>
          </div>
        ))}
      </dl>
      {adding && (
        <AddUser
          close={() => setAdding(false)}
          added={(next) => {
            setAdding(false);
            setSecret(next);
            found.again();
          }}
        />
      )}
      {secret !== null && <SecretDialog secret={secret} close={() => setSecret(null)} />}
    </div>
  );
}

interface RowProps {
  user: User;
  busy: boolean;
  change: (change: { role?: Role; disabled?: boolean }) => void;
  reset: () => void;
  remove: () => void;
}

function Row({ user, busy, change, reset, remove }: RowProps) {
  const w = t();
  const me = session.value?.name === user.name;
  return (
    <tr>
      <th scope="row">
        {user.name}
        {me && <span class="soft">{` · ${w.users.you}`}</span>}
      </th>
      <td>
        <select aria-label={w.users.role} value={user.role} disabled={me || busy} onChange={(e) => change({ role: e.currentTarget.value as Role })}>
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {w.app.role[role]}
            </option>
          ))}
        </select>
      </td>
      <td class="soft">
        {user.disabled ? w.users.disabled : user.must_change ? w.users.mustChange : `${w.users.lastLogin} ${user.last_login === null ? w.users.never : moment(user.last_login)}`}
      </td>
      <td class="number">
        {!me && (
          <>
            <button type="button" class="plain" disabled={busy} onClick={() => change({ disabled: !user.disabled })}>
              {user.disabled ? w.users.enable : w.users.disable}
            </button>
            <button type="button" class="plain" disabled={busy} onClick={reset}>
              {w.users.reset}
            </button>
            <button type="button" class="plain danger" disabled={busy} onClick={remove}>
              {w.users.remove}
            </button>
          </>
        )}
      </td>
    </tr>
  );
}

function AddUser({ close, added }: { close: () => void; added: (secret: Secret) => void }) {
  const w = t();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const act = useAct();
  return (
    <Dialog title={w.users.add} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.run(async () => {
            const { password } = await api.addUser(name.trim(), role);
            added({ text: w.users.created(name.trim()), password });
          });
        }}
      >
        <label class="field">
          <span>{w.users.name}</span>
          <input name="name" required autofocus maxLength={64} pattern="[A-Za-z0-9._\-]+" title={w.users.nameHint} value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <fieldset class="choices">
          <legend>{w.users.role}</legend>
          {ROLES.map((each) => (
            <label key={each}>
              <input type="radio" name="role" value={each} checked={role === each} onChange={() => setRole(each)} />
              <span>
                <b>{w.app.role[each]}</b> <span class="soft">{w.users.roles[each]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {act.error !== null && <ErrorNote error={act.error} />}
        <Actions busy={act.busy} close={close}>
          {w.act.add}
        </Actions>
      </form>
    </Dialog>
  );
}

function SecretDialog({ secret, close }: { secret: Secret; close: () => void }) {
  const w = t();
  const [copied, setCopied] = useState(false);
  return (
    <Dialog title={w.login.password} close={close}>
      <div class="body">
        <p>{secret.text}</p>
        <p class="secret">
          <code translate={false}>{secret.password}</code>
          <button
            type="button"
            onClick={() => {
              void navigator.clipboard.writeText(secret.password).then(() => setCopied(true));
            }}
          >
            {copied ? w.act.copied : w.users.copyPassword}
          </button>
        </p>
      </div>
    </Dialog>
  );
}
