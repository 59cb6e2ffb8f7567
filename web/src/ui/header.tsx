/** Sections, what is open, whether what is seen is live, and who looks. */

import { useEffect, useRef, useState } from "preact/hooks";

import { open } from "../live/alerts";
import { known, site } from "../live/cameras";
import { link } from "../live/alerts";
import { switchTheme, theme } from "../look";
import { denied, desktop, setDesktop, setSound, sound } from "../notify";
import { address, route } from "../route";
import { logout, may, session } from "../session";
import { clock, setLanguage, t } from "../words";
import { Icon, Mark } from "./icons";
import type { IconName } from "./icons";

interface Section {
  page: "wall" | "alerts" | "numbers" | "operations" | "users" | "audit";
  icon: IconName;
}

function sections(): Section[] {
  const all: Section[] = [
    { page: "wall", icon: "wall" },
    { page: "alerts", icon: "bell" },
    { page: "numbers", icon: "chart" },
    { page: "operations", icon: "pulse" },
  ];
  if (may("users")) all.push({ page: "users", icon: "people" });
  if (may("audit")) all.push({ page: "audit", icon: "audit" });
  return all;
}

function Sections({ most }: { most: number }) {
  const w = t();
  const here = ["camera", "add"].includes(route.value.page) ? "wall" : route.value.page;
  const count = open.value.length;
  return (
    <>
      {sections()
        .slice(0, most)
        .map(({ page, icon }) => (
          <a key={page} class="section" href={address(page)} aria-current={here === page ? "page" : undefined}>
            <Icon name={icon} />
            <span>{w.app[page]}</span>
            {page === "alerts" && count > 0 && (
              <span class={`badge ${open.value[0]?.last.severity ?? "minor"}`} aria-label={w.app.open(count)}>
                {count}
              </span>
            )}
          </a>
        ))}
    </>
  );
}

/** On phones the sections are at the thumb. */
export function TabBar() {
  return (
    <nav class="tabbar" aria-label={t().app.nav}>
      <Sections most={4} />
    </nav>
  );
}

function useSeconds(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Clock() {
  return <time class="clock">{clock(useSeconds())}</time>;
}

export function Header() {
  const w = t();
  const state = link.value === "joining" ? "joining" : known.value ? "live" : "lost";
  const count = open.value.length;
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ""}${w.app.name}${site.value === "" ? "" : ` · ${site.value}`}`;
  }, [count, w, site.value]);
  return (
    <header class="top">
      <a class="brand" href={address("wall")}>
        <Mark />
        <b>{w.app.name}</b>
        <span class="site">{site.value}</span>
      </a>
      <nav class="sections" aria-label={w.app.nav}>
        <Sections most={6} />
      </nav>
      <span class="grow" />
      <span class={`link ${state}`} role="status">
        <i class="dot" />
        <span>{w.app.link[state]}</span>
      </span>
      <Clock />
      <button type="button" class="plain" lang={w.otherCode} onClick={() => setLanguage(w.otherCode === "zh" ? "zh" : "en")}>
        {w.otherLanguage}
      </button>
      <button type="button" class="plain square" title={theme.value === "dark" ? w.app.light : w.app.dark} onClick={switchTheme}>
        <Icon name={theme.value === "dark" ? "sun" : "moon"} />
        <span class="hidden">{theme.value === "dark" ? w.app.light : w.app.dark}</span>
      </button>
      <UserMenu />
    </header>
  );
}

function UserMenu() {
  const w = t();
  const [shown, setShown] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const who = session.value;
  useEffect(() => {
    if (!shown) return;
    const outside = (event: Event): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) setShown(false);
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === "Escape") setShown(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("keydown", key);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("keydown", key);
    };
  }, [shown]);
  if (who === null) return null;
  return (
    <div class="menu" ref={box}>
      <button type="button" class="plain" aria-expanded={shown} aria-haspopup="true" onClick={() => setShown(!shown)}>
        <Icon name="user" />
        <span class="who">{who.name}</span>
      </button>
      {shown && (
        <div class="sheet">
          <p class="me">
            <b>{who.name}</b> <span>{w.app.role[who.role]}</span>
          </p>
          <label class="switch">
            <input type="checkbox" checked={sound.value} onChange={(e) => setSound(e.currentTarget.checked)} />
            <span>{w.app.sound}</span>
          </label>
          <label class="switch">
            <input type="checkbox" checked={desktop.value} onChange={(e) => void setDesktop(e.currentTarget.checked)} />
            <span>{w.app.notify}</span>
          </label>
          {denied.value && <p class="small bad">{w.app.notifyDenied}</p>}
          <div class="only-phone">
            {sections()
              .slice(4)
              .map(({ page }) => (
                <a key={page} class="row" href={address(page)} onClick={() => setShown(false)}>
                  {w.app[page]}
                </a>
              ))}
          </div>
          <a class="row" href={address("password")} onClick={() => setShown(false)}>
            {w.app.changePassword}
          </a>
          <button type="button" class="row" onClick={() => void logout()}>
            {w.app.logout}
          </button>
        </div>
      )}
    </div>
  );
}
