/** A site of its own in a temporary folder, watched by the built binary. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const BINARY = process.env["LOOKOUT_BINARY"] ?? join(ROOT, "target/release/lookout");
const START = 90_000;

export interface Site {
  url: string;
  folder: string;
  /** The first admin's password. */
  password: string;
  stop: () => Promise<void>;
}

async function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address !== null ? done(address.port) : failed(new Error("no port"))));
    });
  });
}

/** Cameras by their file's name without its ending, as TOML. */
export async function startSite(cameras: Record<string, string>): Promise<Site> {
  for (const needed of [BINARY, join(ROOT, "media/vtest.avi")]) {
    if (!existsSync(needed)) throw new Error(`${needed} is needed: run scripts/setup test and cargo build --release`);
  }
  const folder = mkdtempSync(join(tmpdir(), "lookout-browser-"));
  const port = await freePort();
  const site = [
    'id = "weibei"',
    'time_zone = "Asia/Shanghai"',
    'data = "data"',
    `listen = "127.0.0.1:${port}"`,
    `media_dirs = [${JSON.stringify(join(ROOT, "media"))}]`,
    "[privacy]",
    'plain = ["admin"]',
    "[[sink]]",
    'id = "record"',
    'kind = "file"',
    'path = "alerts.jsonl"',
    "",
  ].join("\n");
  writeFileSync(join(folder, "site.toml"), site);
  mkdirSync(join(folder, "cameras"));
  for (const [id, toml] of Object.entries(cameras)) writeFileSync(join(folder, "cameras", `${id}.toml`), toml);
  const run = spawn(BINARY, ["run", "--config", join(folder, "site.toml")], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [run.stdout, run.stderr]) {
    stream.on("data", (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-20_000);
    });
  }
  const url = `http://127.0.0.1:${port}/`;
  try {
    await ready(url, run);
  } catch (error) {
    run.kill("SIGKILL");
    throw new Error(`${String(error)}\n${said}`, { cause: error });
  }
  const stop = async (): Promise<void> => {
    const over = new Promise((done) => run.once("exit", done));
    run.kill("SIGTERM");
    await over;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, folder, password: readFileSync(join(folder, "data/admin-password"), "utf8").trim(), stop };
}

async function ready(url: string, run: ChildProcess): Promise<void> {
  const deadline = Date.now() + START;
  while (Date.now() < deadline) {
    if (run.exitCode !== null) throw new Error(`lookout ended with ${run.exitCode}`);
    const answer = await fetch(`${url}readyz`).catch(() => null);
    if (answer?.ok === true) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error("lookout was not ready in time");
}
