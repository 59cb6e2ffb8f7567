/** The frame around all pages. */

import { useEffect } from "preact/hooks";

import { follow } from "./live/alerts";
import { pollCameras } from "./live/cameras";
import { announce } from "./notify";
import { AddPage } from "./pages/add";
import { AlertsPage } from "./pages/alerts";
import { AuditPage } from "./pages/audit";
import { CameraPage } from "./pages/camera";
import { ChangePassword, LoginPage } from "./pages/login";
import { NumbersPage } from "./pages/numbers";
import { OperationsPage } from "./pages/operations";
import { UsersPage } from "./pages/users";
import { WallPage } from "./pages/wall";
import { address, route } from "./route";
import { findSession, may, standing, trouble } from "./session";
import { Header, TabBar } from "./ui/header";
import { Notes } from "./ui/notes";
import { ErrorNote } from "./ui/problem";
import { t } from "./words";

export function App() {
  useEffect(() => void findSession(), []);
  const now = standing.value;
  if (now.state === "unknown") {
    if (trouble.value === null) return <div class="blank">{t().app.loading}</div>;
    return (
      <div class="blank">
        <ErrorNote error={trouble.value} retry={() => void findSession()} />
      </div>
    );
  }
  if (now.state === "out") return <LoginPage />;
  if (now.session.must_change) return <ChangePassword forced />;
  return <Inside key={now.session.name} />;
}

function Inside() {
  useEffect(() => follow(announce), []);
  useEffect(() => pollCameras(), []);
  return (
    <div class="app">
      <a class="skip" href="#content">
        {t().app.skip}
      </a>
      <Header />
      <main id="content" tabIndex={-1}>
        <Page />
      </main>
      <TabBar />
      <Notes />
    </div>
  );
}

function Page() {
  const { page, rest } = route.value;
  switch (page) {
    case "wall":
      return <WallPage camera={rest[0] ?? null} />;
    case "alerts":
      return <AlertsPage alert={rest[0] ?? null} />;
    case "camera":
      return <CameraPage key={rest[0]} id={rest[0] ?? ""} tab={rest[1] ?? "zones"} />;
    case "add":
      return may("edit_source") ? <AddPage /> : <NotFound />;
    case "numbers":
      return <NumbersPage />;
    case "operations":
      return <OperationsPage />;
    case "users":
      return may("users") ? <UsersPage /> : <NotFound />;
    case "audit":
      return may("audit") ? <AuditPage /> : <NotFound />;
    case "password":
      return <ChangePassword />;
    default:
      return <NotFound />;
  }
}

function NotFound() {
  const w = t();
  return (
    <div class="blank">
      <p>{w.app.notFound}</p>
      <a class="button" href={address("wall")}>
        {w.app.toWall}
      </a>
    </div>
  );
}
