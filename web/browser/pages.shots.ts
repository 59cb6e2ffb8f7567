/** Pictures of every page: in both languages, light and dark, at a desk and on a phone. `scripts/screenshots` takes them. */

import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import type { BrowserContextOptions } from "playwright-core";
import { it } from "vitest";

import { choosePassword, logIn, openBrowser, visit } from "./people";
import type { Language, Person } from "./people";
import { startSite } from "./server";

const ROOT = resolve(import.meta.dirname, "../..");
const OUT = resolve(ROOT, process.env["LOOKOUT_SCREENSHOTS"] ?? "out/screenshots");
const PASSWORD = "a password for pictures";
const PAGES = { wall: "#/wall", large: "#/wall/junction", alerts: "#/alerts", zones: "#/camera/junction", history: "#/camera/junction/history", numbers: "#/numbers", operations: "#/operations", users: "#/users", audit: "#/audit", add: "#/add", remove: "#/camera/junction/file" };
const LOOKS: { language: Language; theme: "light" | "dark"; size: "desk" | "phone" }[] = [
  { language: "en", theme: "light", size: "desk" },
  { language: "en", theme: "dark", size: "desk" },
  { language: "zh", theme: "light", size: "desk" },
  { language: "zh", theme: "dark", size: "desk" },
  { language: "zh", theme: "light", size: "phone" },
  { language: "en", theme: "dark", size: "phone" },
];
const SIZES: Record<"desk" | "phone", BrowserContextOptions> = {
  desk: { viewport: { width: 1360, height: 850 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

async function settle({ page }: Person, name: string, language: Language): Promise<void> {
  await page.waitForTimeout(1_500);
  if (name === "alerts") await page.locator("a.alert").first().click();
  if (name === "zones") {
    await page.locator(".entry").nth(1).click();
    const marks = page.locator(".mark-of");
    await marks.first().waitFor({ timeout: 20_000 }).catch(() => undefined);
    if ((await marks.count()) > 0) await marks.last().click();
  }
  if (name === "add") {
    await page.fill("[name=id]", "shore-2");
    await page.fill("[name=name]", language === "zh" ? "水库北岸" : "North shore");
    await page.fill("[name=address]", "rtsp://10.0.0.8/stream1");
    await page.fill("[name=rate]", "8");
    await page.fill("[name=reason]", language === "zh" ? "北岸新立杆" : "a new mast on the shore");
  }
  if (name === "remove") await page.locator(".leaving button").click();
  await page.waitForTimeout(1_200);
}

it("takes pictures of every page", async () => {
  mkdirSync(OUT, { recursive: true });
  const site = await startSite({ junction: readFileSync(join(ROOT, "configs/demo/junction.toml"), "utf8") });
  const crowd = await openBrowser();
  try {
    const first = await crowd.person(site.url, "en");
    await logIn(first, "admin", site.password);
    await choosePassword(first, site.password, PASSWORD);
    // Some alerts, tracks and numbers first.
    await first.page.waitForTimeout(100_000);
    for (const { language, theme, size } of LOOKS) {
      const person = await crowd.person(site.url, language, { theme, ...SIZES[size] });
      // What is typed and not saved may go.
      person.page.on("dialog", (dialog) => void dialog.accept());
      await logIn(person, "admin", PASSWORD);
      await person.page.locator("header.top").waitFor();
      for (const [name, hash] of Object.entries(PAGES)) {
        await visit(person, hash);
        await settle(person, name, language);
        await person.page.screenshot({ path: join(OUT, `${name}-${size}-${language}-${theme}.jpg`), type: "jpeg", quality: 72 });
      }
      await person.context.close();
    }
  } finally {
    await crowd.close();
    await site.stop();
  }
}, 900_000);
