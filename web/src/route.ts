/** Pages have addresses behind `#`: they can be kept, sent and gone back to. */

import { computed, signal } from "@preact/signals";

export interface Route {
  page: string;
  /** What follows the page's name. */
  rest: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...rest] = path.split("/").map(safeDecoded);
  return { page: page === "" ? "wall" : page, rest: rest.filter((part) => part !== ""), query: new URLSearchParams(search) };
}

function safeDecoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function address(page: string, ...rest: string[]): string {
  return `#/${[page, ...rest].map(encodeURIComponent).join("/")}`;
}

const hash = signal(typeof location === "undefined" ? "" : location.hash);
export const route = computed(() => parse(hash.value));

/** Asked before the page is left; false stays. */
let mayLeave: (() => boolean) | null = null;
let current = hash.value;

/** Guards unsaved work; null lifts the guard. */
export function guardLeave(ask: (() => boolean) | null): void {
  mayLeave = ask;
}

function samePage(a: string, b: string): boolean {
  const [x, y] = [parse(a), parse(b)];
  return x.page === y.page && x.rest[0] === y.rest[0];
}

export function listenToAddress(): void {
  addEventListener("hashchange", () => {
    if (mayLeave !== null && !samePage(current, location.hash) && !mayLeave()) {
      history.replaceState(null, "", current === "" ? "#/" : current);
      return;
    }
    current = location.hash;
    hash.value = location.hash;
  });
  addEventListener("beforeunload", (event) => {
    if (mayLeave !== null) event.preventDefault();
  });
}

export function go(to: string): void {
  location.hash = to;
}

/** Another query of the same page, without a step in the browser's history. */
export function replaceQuery(query: URLSearchParams): void {
  const [path = ""] = location.hash.split("?");
  const text = query.toString();
  history.replaceState(null, "", `${path === "" ? "#/" : path}${text === "" ? "" : `?${text}`}`);
  current = location.hash;
  hash.value = location.hash;
}
