/** People with a browser each. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export type Language = "en" | "zh";

export interface Person {
  page: Page;
  context: BrowserContext;
  /** What the page complained about: errors of scripts, and whatever the policy forbade. */
  complaints: string[];
}

export interface Crowd {
  person: (url: string, language: Language, options?: BrowserContextOptions & { theme?: "light" | "dark" }) => Promise<Person>;
  close: () => Promise<void>;
}

export async function openBrowser(): Promise<Crowd> {
  const profile = mkdtempSync(join(tmpdir(), "lookout-chromium-"));
  const browser: Browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", headless: true, args: FLAGS, env: { ...process.env, HOME: profile } });
  const person: Crowd["person"] = async (url, language, { theme = "light", ...options } = {}) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // A refusal of the server is no fault of the page.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
    });
    await page.addInitScript(
      ([lang, colours]) => {
        if (localStorage.getItem("lookout-lang") === null) localStorage.setItem("lookout-lang", lang ?? "en");
        localStorage.setItem("lookout-theme", colours ?? "light");
      },
      [language, theme],
    );
    await page.goto(url);
    return { page, context, complaints };
  };
  return {
    person,
    close: async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

export async function logIn({ page }: Person, name: string, password: string): Promise<void> {
  await page.fill("input[name=name]", name);
  await page.fill("input[name=password]", password);
  await page.keyboard.press("Enter");
}

/** The change that a given password asks for. */
export async function choosePassword({ page }: Person, old: string, next: string): Promise<void> {
  const fields = page.locator("input[type=password]");
  await fields.nth(2).waitFor();
  for (const [i, text] of [old, next, next].entries()) await fields.nth(i).fill(text);
  await page.keyboard.press("Enter");
  await page.locator("header.top").waitFor();
}

/** Adds a user by the console; gives the password that is shown once. */
export async function addUser({ page }: Person, url: string, name: string, role: string): Promise<string> {
  await page.goto(`${url}#/users`);
  await page.locator(".page-head button.primary").click();
  await page.fill("dialog input[name=name]", name);
  await page.check(`dialog input[value=${role}]`);
  await page.locator("dialog button[type=submit]").click();
  const password = await page.locator("dialog .secret code").textContent();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  return password ?? "";
}

/** The address without what follows `#` stays: the page is not loaded anew. */
export async function visit({ page }: Person, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}
