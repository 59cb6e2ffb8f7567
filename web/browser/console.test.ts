/** What an analyst, a dispatcher and a viewer do, in a real browser against a real run. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { addUser, choosePassword, logIn, openBrowser, visit } from "./people";
import type { Crowd, Person } from "./people";
import { startSite } from "./server";
import type { Site } from "./server";

/** Names are Chinese here, so that Latin letters on a Chinese page are a leftover; one has markup, to come out as text. */
const CAMERA = `# Comments are kept.
id = "yard"
name = "院子<b>1</b>"
[source]
url = "file:vtest.avi"              # the demo's clip
fps = 7
loop = true
rate = 7
[detect]
input = [320, 256]
[[zone]]
id = "lawn"
name = "草坪"
polygon = [[0.25, 0.78], [0.60, 0.70], [0.85, 0.97], [0.30, 0.97]]
[[line]]
id = "path"
name = "小路"
points = [[0.30, 0.92], [0.62, 0.22]]
left = "西"
right = "东"
`;
const PASSWORD = "a password of the tests";
/** Until somebody has stayed and the alert has come. */
const PATIENCE = 60_000;

let site: Site;
let crowd: Crowd;
let admin: Person;
let analyst: Person;
const passwords: Record<string, string> = {};

beforeAll(async () => {
  site = await startSite({ yard: CAMERA });
  crowd = await openBrowser();
  admin = await crowd.person(site.url, "en");
});

afterAll(async () => {
  await crowd.close();
  await site.stop();
});

function file(): string {
  return readFileSync(join(site.folder, "cameras/yard.toml"), "utf8");
}

/** Clicks at fractions of the picture that is drawn on. */
async function clickAt(page: Page, points: [number, number][]): Promise<void> {
  const box = await page.locator("svg.glass").boundingBox();
  if (box === null) throw new Error("there is no picture to draw on");
  for (const [x, y] of points) await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
}

it("asks the first admin for a password of their own", async () => {
  await logIn(admin, "admin", "not the password");
  await admin.page.getByText("Name or password is wrong.").waitFor();
  await logIn(admin, "admin", site.password);
  await choosePassword(admin, site.password, PASSWORD);
  await admin.page.locator(".tile .health.good").waitFor({ timeout: PATIENCE });
  expect(await admin.page.locator(".tile .name").textContent()).toBe("院子<b>1</b>");
});

it("shows live pictures over one connection", async () => {
  await admin.page.locator(".tile canvas.live:not(.empty)").waitFor({ timeout: PATIENCE });
  const colours = await admin.page.locator(".tile canvas.live").evaluate((canvas: HTMLCanvasElement) => new Set(canvas.getContext("2d")?.getImageData(0, 0, canvas.width, 40).data ?? []).size);
  expect(colours).toBeGreaterThan(20);
});

it("adds users, whose passwords are shown once", async () => {
  for (const [name, role] of [["li.na", "analyst"], ["watcher", "viewer"]] as const) passwords[name] = await addUser(admin, site.url, name, role);
  expect(passwords["li.na"]).toMatch(/^\w+(-\w+)+$/);
  analyst = await crowd.person(site.url, "en");
  await logIn(analyst, "li.na", passwords["li.na"] ?? "");
  await choosePassword(analyst, passwords["li.na"] ?? "", PASSWORD);
  // The editor is open before the admin saves.
  await visit(analyst, "#/camera/yard");
  await analyst.page.locator(".entry").first().waitFor();
});

it("draws a zone by mouse, with a rule that says in words what it does", async () => {
  const { page } = admin;
  await visit(admin, "#/camera/yard");
  await page.locator("[data-tool=zone]").click();
  await clickAt(page, [[0.02, 0.03], [0.97, 0.03], [0.97, 0.97], [0.02, 0.97]]);
  await page.keyboard.press("Enter");
  await page.locator(".selected input[name=name]").fill("全景");
  await page.locator(".selected input[name=id]").fill("all");
  await page.getByRole("button", { name: "Add rule" }).click();
  await page.locator("[data-kind=loitering]").click();
  await page.locator("[id$=-dwell]").fill("3");
  await page.locator("[id$=-gap]").fill("2");
  await page.locator(".sentence").filter({ hasText: "Raises a moderate alert when one person stays in “全景” for 3 s." }).waitFor();
  // A point more, moved by keys, and taken back.
  const corners = page.locator(".handles .point");
  await corners.first().focus();
  await page.keyboard.press("Insert");
  await page.keyboard.press("ArrowRight");
  expect(await corners.count()).toBe(5);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  expect(await corners.count()).toBe(4);
});

it("warns where it is edited", async () => {
  const { page } = admin;
  const dwell = page.locator("[id$=-dwell]");
  await dwell.fill("1");
  await page.locator(".remark.warning", { hasText: "The gap is longer than what is asked for." }).waitFor();
  await dwell.fill("");
  await page.locator(".remark.error", { hasText: "This is needed." }).waitFor();
  expect(await page.locator(".savebar button.primary").isDisabled()).toBe(true);
  await dwell.fill("3");
});

it("shows what the rule would have raised before it is saved", async () => {
  const { page } = admin;
  const then = page.locator("[data-count=then]");
  const again = page.locator(".whatif header button.plain");
  // What was seen is on disk some seconds later.
  await expect
    .poll(
      async () => {
        if (await again.isEnabled()) await again.click();
        await page.waitForTimeout(2_500);
        return (await then.count()) === 0 ? 0 : Number(await then.textContent());
      },
      { timeout: PATIENCE * 2 },
    )
    .toBeGreaterThan(0);
  expect(await page.locator("[data-count=now]").textContent()).toBe("0");
  // Of marks at the same time the last one lies on top.
  await page.locator(".mark-of").last().click();
  await page.locator(".trails polyline.cause").first().waitFor();
});

it("saves into the file, keeps its comments, and raises the next alert by the new rule", async () => {
  const { page } = admin;
  await page.locator(".savebar button.primary").click();
  await page.fill("dialog input[name=reason]", "夜间有人滞留");
  await page.keyboard.press("Enter");
  await page.getByText("All changes are saved.").waitFor();
  const text = file();
  expect(text).toContain("# Comments are kept.");
  expect(text).toContain('url = "file:vtest.avi"              # the demo\'s clip');
  expect(text).toMatch(/kind = "loitering"/);
  expect(text).toMatch(/dwell = "3s"/);
  await visit(admin, "#/camera/yard/history");
  await page.locator("td", { hasText: "夜间有人滞留" }).waitFor();
  await visit(admin, "#/alerts");
  await page.locator("a.alert", { hasText: "loitering" }).first().waitFor({ timeout: PATIENCE });
});

it("answers the alert", async () => {
  const { page } = admin;
  await page.locator("a.alert", { hasText: "loitering" }).first().click();
  await page.locator("[data-answer=accepted]").click();
  await page.locator(".given .answer.accepted").waitFor();
  await page.locator(".given", { hasText: "admin in the console" }).waitFor();
});

it("snoozes the rule until a time, shows that everywhere, and wakes it", async () => {
  const { page } = admin;
  await page.getByRole("button", { name: "Snooze this rule" }).click();
  await page.locator(".snoozing .segments button").first().click();
  await page.locator(".snoozing input").fill("演练");
  await page.locator(".snoozing button[type=submit]").click();
  await page.locator(".snoozing .snoozed", { hasText: "by admin" }).waitFor();
  // Those that are open end by it.
  await expect.poll(() => page.locator("a.alert.open", { hasText: "loitering" }).count(), { timeout: PATIENCE }).toBe(0);
  await visit(admin, "#/wall");
  await page.locator(".tile .snoozed").waitFor({ timeout: PATIENCE });
  await visit(admin, "#/alerts");
  await page.locator("a.alert", { hasText: "loitering" }).first().click();
  await page.getByRole("button", { name: "End snooze" }).click();
  await page.getByRole("button", { name: "Snooze this rule" }).waitFor();
  await visit(admin, "#/audit");
  await page.locator("tr", { hasText: "演练" }).filter({ hasText: "yard/all-loitering" }).first().waitFor();
});

it("refuses what somebody saves over a newer version, and keeps their changes", async () => {
  const { page } = analyst;
  await page.locator(".entry", { hasText: "草坪" }).click();
  await page.locator(".selected input[name=name]").fill("北草坪");
  await page.locator(".savebar button.primary").click();
  await page.fill("dialog input[name=reason]", "改名");
  const before = file();
  await page.keyboard.press("Enter");
  await page.getByText("Somebody else has saved this camera since you opened it.").waitFor();
  expect(file()).toBe(before);
  expect(await page.locator(".selected input[name=name]").inputValue()).toBe("北草坪");
  await page.getByRole("button", { name: "Load the saved version" }).click();
  await page.locator(".entry", { hasText: "全景" }).waitFor();
});

it("shows people as they are only to whom the site names, who says why, and records it", async () => {
  const { page } = admin;
  await visit(admin, "#/wall/yard");
  await page.getByRole("button", { name: "Plain picture" }).click();
  await page.locator("dialog button[type=submit]").click();
  expect(await page.locator("dialog img").count()).toBe(0);
  await page.fill("dialog input[name=why]", "走失儿童");
  await page.keyboard.press("Enter");
  const width = page.locator("dialog img.plain-picture").evaluate(async (img: HTMLImageElement) => {
    await img.decode();
    return img.naturalWidth;
  });
  expect(await width).toBeGreaterThan(300);
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await visit(admin, "#/audit");
  await page.locator("tr", { hasText: "走失儿童" }).filter({ hasText: "admin" }).first().waitFor();
  await visit(analyst, "#/wall/yard");
  await analyst.page.locator(".large .facts").waitFor();
  expect(await analyst.page.getByRole("button", { name: "Plain picture" }).count()).toBe(0);
});

it("lets a viewer look and change nothing", async () => {
  const viewer = await crowd.person(site.url, "en");
  const { page } = viewer;
  await logIn(viewer, "watcher", passwords["watcher"] ?? "");
  await choosePassword(viewer, passwords["watcher"] ?? "", PASSWORD);
  await visit(viewer, "#/camera/yard");
  await page.locator(".entry", { hasText: "全景" }).click();
  expect(await page.locator("[data-tool]").count()).toBe(0);
  expect(await page.locator(".savebar").count()).toBe(0);
  expect(await page.locator(".selected input[name=name]").isDisabled()).toBe(true);
  const before = file();
  const status = await page.evaluate(async () => {
    const session = (await (await fetch("/api/v1/session")).json()) as { csrf: string };
    const config = await fetch("/api/v1/cameras/yard/config");
    const headers = { "Content-Type": "application/json", "X-Lookout-CSRF": session.csrf, "If-Match": config.headers.get("etag") ?? "" };
    const saved = await fetch("/api/v1/cameras/yard/config", { method: "PUT", headers, body: JSON.stringify({ camera: { zone: [], line: [], mask: [] }, reason: "x" }) });
    return saved.status;
  });
  expect(status).toBe(403);
  expect(file()).toBe(before);
  expect(viewer.complaints).toEqual([]);
});

/** What a page shows and says to those who hear it, without what is marked as English or as no language at all. */
function shown(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const skip = '[lang="en"], [translate="no"], code, pre, script, style, option:not(:checked)';
    const out: string[] = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
      if (node.parentElement?.closest(skip) === null) out.push(node.textContent ?? "");
    }
    for (const element of document.querySelectorAll("[title], [aria-label], [placeholder]")) {
      if (element.closest(skip) !== null) continue;
      for (const name of ["title", "aria-label", "placeholder"]) out.push(element.getAttribute(name) ?? "");
    }
    return out.map((text) => text.trim()).filter((text) => text !== "");
  });
}

/** Ids that somebody chose, names of formats and keys: the same in every language. */
const DATA = /Lookout|weibei|admin|watcher|li\.na|record|all(-loitering)?|lawn|path|yard|<b>1<\/b>|nanodet[\w-]*|CSV|CPU|GB|CAP|Shift|Insert|Delete|Esc|English|[0-9a-f]{8}(\.\d+)?|\d+\.\d+\.\d+\S*/g;

it("speaks Chinese without a word of English", async () => {
  const { page } = admin;
  await page.locator("header.top button[lang=zh]").click();
  // What was said in English before leaves by itself.
  await expect.poll(() => page.locator(".notes p").count(), { timeout: PATIENCE }).toBe(0);
  const pages = ["#/wall", "#/wall/yard", "#/alerts", "#/camera/yard", "#/camera/yard/history", "#/camera/yard/file", "#/add", "#/numbers", "#/operations", "#/users", "#/audit"];
  for (const hash of pages) {
    await visit(admin, hash);
    await page.waitForTimeout(1_500);
    if (hash === "#/alerts") await page.locator("a.alert").first().click();
    if (hash === "#/camera/yard") await page.locator(".entry", { hasText: "全景" }).click();
    if (hash === "#/camera/yard/file") await page.locator(".leaving button").click();
    // An empty form says what is missing.
    if (hash === "#/add") await page.locator("form button.primary").click();
    await page.waitForTimeout(500);
    const texts = await shown(page);
    expect(texts.length, hash).toBeGreaterThan(10);
    const left = texts.filter((text) => /[A-Za-z]{2,}/.test(text.replace(DATA, "")));
    expect(left, hash).toEqual([]);
  }
});

it("ran nothing that its policy forbids, and broke nowhere", () => {
  expect(admin.complaints).toEqual([]);
  expect(analyst.complaints).toEqual([]);
});
