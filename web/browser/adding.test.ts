/** A camera that comes and goes by the console, in a real browser against a real run. */

import { appendFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Locator } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { addUser, choosePassword, logIn, openBrowser, visit } from "./people";
import type { Crowd, Person } from "./people";
import { startSite } from "./server";
import type { Site } from "./server";

const YARD = `id = "yard"
name = "The yard"
[source]
url = "file:vtest.avi"
fps = 7
loop = true
rate = 4
[detect]
input = [320, 256]
`;
const PASSWORD = "a password of the tests";
/** Until a camera is connected and has shown something. */
const PATIENCE = 60_000;
/** To come out as it is: in the file, and as text on the page. */
const NAME = '北岸 "2" \\ <b>x</b>';

let site: Site;
let crowd: Crowd;
let admin: Person;

beforeAll(async () => {
  site = await startSite({ yard: YARD });
  crowd = await openBrowser();
  admin = await crowd.person(site.url, "en");
  await logIn(admin, "admin", site.password);
  await choosePassword(admin, site.password, PASSWORD);
});

afterAll(async () => {
  await crowd.close();
  await site.stop();
});

function files(): string[] {
  return readdirSync(join(site.folder, "cameras")).sort();
}

function file(name: string): string {
  return readFileSync(join(site.folder, "cameras", name), "utf8");
}

function tile(name: string): Locator {
  return admin.page.locator(".tile").filter({ has: admin.page.locator(".name", { hasText: name }) });
}

it("refuses in place what cannot be a camera, keeps what was typed, and saves nothing", async () => {
  const { page } = admin;
  await page.locator(".feed .foot").getByText("Add a camera").click();
  const id = page.locator("[name=id]");
  const address = page.locator("[name=address]");
  const submit = page.locator("form button.primary");
  const remark = (field: Locator): Promise<string | null> => page.locator(".field").filter({ has: field }).locator(".remark.wrong").textContent();
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.postData() ?? ""));
  await id.waitFor();
  await submit.click();
  for (const field of [id, address, page.locator("[name=reason]")]) await expect.poll(() => remark(field)).toBe("This is needed.");
  expect(await id.evaluate((field) => field === document.activeElement)).toBe(true);

  await page.fill("[name=reason]", "refused");
  for (const [field, text, why] of [
    [id, "yard", "There is a camera or a file with this id already."],
    [id, "../shore", "Not an id: up to 64 letters"],
    [address, "10.0.0.8/stream1", "Not the address of a camera."],
    [address, "rtsp://me:secret@10.0.0.8/1", "User and password do not belong in the address."],
    [page.locator("[name=rate]"), "many", "A number above 0"],
  ] as const) {
    await field.fill(text);
    await submit.click();
    await expect.poll(() => remark(field), { message: text }).toContain(why);
    expect(await field.inputValue()).toBe(text);
    expect(await page.locator(".written pre").textContent()).not.toContain("secret");
  }
  await id.fill("shore");
  await page.fill("[name=rate]", "");
  // Only the server knows the folders: it says so before anything is saved, and again to who tries all the same.
  await address.fill("file:/etc/hostname");
  await page.getByText("must lie in a media folder of the site").waitFor();
  expect(await page.locator("input[name=kind]:checked").inputValue()).toBe("file");
  await submit.click();
  await page.locator(".remark.wrong code", { hasText: "`/etc/hostname` is not under one of `media_dirs`" }).waitFor();
  expect([await id.inputValue(), await address.inputValue()]).toEqual(["shore", "/etc/hostname"]);

  // A file that is no camera's has its name all the same.
  writeFileSync(join(site.folder, "cameras/pier.toml"), "no camera");
  await id.fill("pier");
  await address.fill("vtest.avi");
  await page.getByText("The server finds no fault.").waitFor();
  await submit.click();
  await page.getByText("There is a camera or a file with this id already.").waitFor();
  expect(file("pier.toml")).toBe("no camera");
  rmSync(join(site.folder, "cameras/pier.toml"));
  expect(files()).toEqual(["yard.toml"]);
  expect(sent.some((body) => body.includes("vtest.avi"))).toBe(true);
  expect(sent.filter((body) => body.includes("secret"))).toEqual([]);
});

it("adds a camera by keys alone, and leads to its page", async () => {
  const { page } = admin;
  // Nobody leaves by mistake.
  page.once("dialog", (dialog) => void dialog.accept());
  await visit(admin, "#/operations");
  await page.locator(".page a.button", { hasText: "Add a camera" }).click();
  await expect.poll(() => page.locator("[name=id]").evaluate((field) => field === document.activeElement)).toBe(true);
  const keys = page.keyboard;
  await keys.insertText("shore-2");
  await keys.press("Tab");
  await keys.insertText(NAME);
  await keys.press("Tab");
  await page.locator(".credentials code", { hasText: "LOOKOUT_CAMERA_SHORE_2_PASSWORD" }).waitFor();
  await keys.press("ArrowDown");
  await keys.press("ArrowDown");
  await keys.press("Tab");
  await keys.insertText("vtest.avi");
  await keys.press("Tab");
  await keys.press("Tab");
  await keys.insertText("5");
  await keys.press("Tab");
  await keys.insertText("the new mast");
  await page.getByText("The server finds no fault.").waitFor();
  const shown = await page.locator(".written pre").textContent();
  await keys.press("Enter");
  await page.locator("[data-tool=zone]").waitFor({ timeout: PATIENCE });
  expect(new URL(page.url()).hash).toBe("#/camera/shore-2");
  expect(file("shore-2.toml")).toBe(shown);
  expect(shown).toBe('id = "shore-2"\nname = "北岸 \\"2\\" \\\\ <b>x</b>"\n\n[source]\nurl = "file:vtest.avi"\nloop = true\nrate = 5\n');
  await expect.poll(() => page.locator(".bar h1").textContent(), { timeout: PATIENCE }).toBe(NAME);
  // What is drawn on is the picture without what was drawn.
  await page.locator("img.still").waitFor({ timeout: PATIENCE });
  await visit(admin, "#/camera/shore-2/history");
  await page.locator("tr", { hasText: "the new mast" }).filter({ hasText: "admin" }).waitFor();
});

it("shows the new camera live on the wall, beside the other one", async () => {
  const { page } = admin;
  await visit(admin, "#/wall");
  expect(await page.locator(".tile .name").allTextContents()).toEqual([NAME, "The yard"]);
  await tile("北岸").locator(".health.good").waitFor({ timeout: PATIENCE });
  const canvas = tile("北岸").locator("canvas.live:not(.empty)");
  await canvas.waitFor({ timeout: PATIENCE });
  const picture = (): Promise<string> => canvas.evaluate((one: HTMLCanvasElement) => one.toDataURL());
  const first = await picture();
  await expect.poll(async () => (await picture()) !== first, { timeout: PATIENCE }).toBe(true);
  const colours = await canvas.evaluate((one: HTMLCanvasElement) => new Set(one.getContext("2d")?.getImageData(0, 0, one.width, 40).data ?? []).size);
  expect(colours).toBeGreaterThan(20);
});

it("offers neither to who may not change sources", async () => {
  for (const role of ["viewer", "analyst"]) {
    const given = await addUser(admin, site.url, `the.${role}`, role);
    const person = await crowd.person(site.url, "en");
    const { page } = person;
    await logIn(person, `the.${role}`, given);
    await choosePassword(person, given, PASSWORD);
    await page.locator(".tile").first().waitFor();
    expect(await page.getByText("Add a camera").count(), role).toBe(0);
    await visit(person, "#/operations");
    await page.locator("table.data").first().waitFor();
    expect(await page.getByText("Add a camera").count(), role).toBe(0);
    await visit(person, "#/add");
    await page.getByText("There is no such page.").waitFor();
    await visit(person, "#/camera/shore-2/file");
    await page.locator("pre.file", { hasText: "vtest.avi" }).waitFor();
    expect(await page.getByText("Remove this camera").count(), role).toBe(0);
    expect(person.complaints).toEqual([]);
    await person.context.close();
  }
});

it("removes no camera that somebody has changed meanwhile", async () => {
  const { page } = admin;
  await visit(admin, "#/camera/shore-2/file");
  await page.locator(".leaving button").click();
  const dialog = page.locator("dialog");
  await dialog.locator("h2", { hasText: `Remove “${NAME}”` }).waitFor();
  for (const said of ["its file, with zones, lines and rules", "its alerts, with pictures, clips and answers"]) await dialog.getByText(said).waitFor();
  const submit = dialog.locator("button[type=submit]");
  await dialog.locator("[name=reason]").fill("the mast is gone");
  expect(await submit.isDisabled(), "nobody is sure yet").toBe(true);
  await dialog.locator("[name=sure]").check();
  appendFileSync(join(site.folder, "cameras/shore-2.toml"), "# A note by hand.\n");
  await submit.click();
  await dialog.getByText("Somebody has changed this camera since you opened it. Nothing is removed.").waitFor();
  expect(files()).toEqual(["shore-2.toml", "yard.toml"]);
  await page.getByRole("button", { name: "Load the saved version" }).click();
  await page.locator("pre.file", { hasText: "# A note by hand." }).waitFor();
});

it("removes a camera with a reason; the wall shows it no more, and the other one goes on", async () => {
  const { page } = admin;
  await page.locator(".leaving button").click();
  await page.fill("dialog [name=reason]", "the mast is gone");
  await page.check("dialog [name=sure]");
  await page.locator("dialog button[type=submit]").click();
  await tile("The yard").waitFor();
  expect(new URL(page.url()).hash).toBe("#/wall");
  await page.locator(".notes", { hasText: `“${NAME}” is removed.` }).waitFor();
  expect(files()).toEqual(["yard.toml"]);
  // Also once the server has been asked again.
  await page.waitForResponse((answer) => answer.url().endsWith("/api/v1/cameras"));
  await page.waitForResponse((answer) => answer.url().endsWith("/api/v1/cameras"));
  expect(await page.locator(".tile .name").allTextContents()).toEqual(["The yard"]);
  await tile("The yard").locator(".health.good").waitFor({ timeout: PATIENCE });
  await visit(admin, "#/audit");
  await page.locator("tr", { hasText: "removed a camera" }).filter({ hasText: "the mast is gone" }).waitFor();
  await page.locator("tr", { hasText: "added a camera" }).filter({ hasText: "the new mast" }).waitFor();
});

it("brings a camera back that was removed, with all that was in its file", async () => {
  const { page } = admin;
  await visit(admin, "#/add");
  const asked = page.waitForResponse((answer) => answer.url().endsWith("/cameras/shore/history"));
  await page.fill("[name=id]", "shore");
  expect((await asked).status(), "nobody knows it").toBe(404);
  expect(await page.locator(".past").count()).toBe(0);
  await page.fill("[name=id]", "shore-2");
  const back = page.locator(".past button");
  await back.click();
  await expect.poll(() => page.locator("[name=reason]").evaluate((field) => field === document.activeElement)).toBe(true);
  expect(files()).toEqual(["yard.toml"]);
  await page.keyboard.insertText("the mast is back");
  await back.click();
  await page.locator("[data-tool=zone]").waitFor({ timeout: PATIENCE });
  expect(new URL(page.url()).hash).toBe("#/camera/shore-2");
  expect(file("shore-2.toml")).toMatch(/^id = "shore-2"\n[^]*\nrate = 5\n# A note by hand\.\n$/);
  await visit(admin, "#/camera/shore-2/history");
  // The same text is no version more: that it came back stands in the audit.
  await page.locator("tr", { hasText: "the new mast" }).waitFor();
  await visit(admin, "#/audit");
  await page.locator("tr", { hasText: "added a camera" }).filter({ hasText: "the mast is back" }).waitFor();
  await visit(admin, "#/camera/shore-2/file");
  await page.locator(".leaving button").click();
  await page.fill("dialog [name=reason]", "it has gone again");
  await page.check("dialog [name=sure]");
  await page.locator("dialog button[type=submit]").click();
  await tile("The yard").waitFor();
  expect(files()).toEqual(["yard.toml"]);
});

it("keeps the last one, and says why", async () => {
  const { page } = admin;
  await visit(admin, "#/camera/yard/file");
  await page.locator(".leaving button").click();
  await page.fill("dialog [name=reason]", "all of it");
  await page.check("dialog [name=sure]");
  await page.locator("dialog button[type=submit]").click();
  await page.getByText("This camera cannot go: it is the only one").waitFor();
  expect(files()).toEqual(["yard.toml"]);
  expect(admin.complaints).toEqual([]);
});
