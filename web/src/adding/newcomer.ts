/** A camera that there is not yet: what is typed, what is wrong with it, and the file that comes of it. */

import type { Fault } from "../api/types";
import type { Words } from "../words/en";

export const KINDS = ["stream", "device", "file"] as const;
export type SourceKind = (typeof KINDS)[number];

export interface Newcomer {
  id: string;
  name: string;
  kind: SourceKind;
  /** An address with its scheme, a device's path, or a file in one of the site's media folders. */
  address: string;
  /** A file starts again at its end. */
  loop: boolean;
  /** Analysed pictures a second, at most; all that come if empty. */
  rate: string;
}

export const FIELDS = ["id", "name", "address", "rate"] as const;
export type FieldName = (typeof FIELDS)[number];
export type Wrong = keyof Words["adding"]["wrong"];
export type Wrongs = Partial<Record<FieldName, Wrong>>;

export const NOBODY: Newcomer = { id: "", name: "", kind: "stream", address: "", loop: true, rate: "" };

/** As the server has them. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
export const SCHEMES = ["rtsp://", "rtsps://", "http://", "https://"] as const;
const LONGEST_NAME = 200;
const MOST_RATE = 240;
const PREFIX = { stream: "", device: "v4l2:", file: "file:" } as const;
/** A name or an IPv4 address, or an IPv6 address in brackets, with a port or without. */
const HOST = /^([^\s:@[\]]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;
// eslint-disable-next-line no-control-regex -- it is these that do not belong there.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Whole addresses may be pasted: what sort of source begins like this, and its rest. */
export function pasted(text: string): Pick<Newcomer, "kind" | "address"> | null {
  const rest = text.trimStart();
  for (const kind of ["device", "file"] as const) {
    if (rest.toLowerCase().startsWith(PREFIX[kind])) return { kind, address: rest.slice(PREFIX[kind].length) };
  }
  return SCHEMES.some((scheme) => rest.toLowerCase().startsWith(scheme)) ? { kind: "stream", address: rest } : null;
}

/** What stands as `url` in the file. */
export function sourceUrl({ kind, address }: Newcomer): string {
  const text = address.trim();
  if (kind !== "stream") return `${PREFIX[kind]}${text}`;
  return text.replace(/^[A-Za-z]+:\/\//, (scheme) => scheme.toLowerCase());
}

/** The two variables of the environment from which a camera's user and password come. */
export function variables(id: string): [string, string] {
  const name = id.toUpperCase().replaceAll("-", "_");
  return [`LOOKOUT_CAMERA_${name}_USER`, `LOOKOUT_CAMERA_${name}_PASSWORD`];
}

function wrongAddress(newcomer: Newcomer): Wrong | null {
  const { kind } = newcomer;
  const text = newcomer.address.trim();
  if (text === "") return "missing";
  const climbs = text.split("/").includes("..");
  if (kind === "device") return text.startsWith("/dev/") && text.length > "/dev/".length && !climbs ? null : "device";
  if (kind === "file") return climbs || CONTROL.test(text) ? "file" : null;
  const url = sourceUrl(newcomer);
  const scheme = SCHEMES.find((each) => url.startsWith(each));
  if (scheme === undefined) return "stream";
  const [host = ""] = url.slice(scheme.length).split(/[/?#]/);
  if (host.includes("@")) return "credentials";
  return HOST.test(host) && !/\s/.test(url) && !CONTROL.test(url) ? null : "stream";
}

/** A number of pictures a second; null where nothing is set, NaN where it is none. */
function rateOf(text: string): number | null {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  const value = /^\d*\.?\d+$|^\d+\.$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  return value > 0 && value <= MOST_RATE ? value : Number.NaN;
}

/** What the server would refuse, as far as that can be known here. `taken`: ids of the cameras that there are. */
export function wrongs(newcomer: Newcomer, taken: readonly string[]): Wrongs {
  const out: Wrongs = {};
  const id = newcomer.id.trim();
  if (id === "") out.id = "missing";
  else if (!ID.test(id)) out.id = "id";
  else if (taken.includes(id)) out.id = "taken";
  const name = newcomer.name.trim();
  if (name !== "" && (Array.from(name).length > LONGEST_NAME || CONTROL.test(name))) out.name = "name";
  const address = wrongAddress(newcomer);
  if (address !== null) out.address = address;
  if (Number.isNaN(rateOf(newcomer.rate))) out.rate = "rate";
  return out;
}

/** A basic string of TOML (v1.0.0): whatever was typed comes back as it was. */
export function quoted(text: string): string {
  const short: Record<string, string> = { '"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r" };
  // Half of a surrogate pair is no character; TOML has no way to write it.
  const whole = text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (found) => (found.length === 2 ? found : "\ufffd"));
  // eslint-disable-next-line no-control-regex -- it is these that have to be written otherwise.
  const inside = whole.replace(/["\\\u0000-\u001f\u007f]/g, (c) => short[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `"${inside}"`;
}

/** The file of the camera: no more than what was typed. */
export function tomlOf(newcomer: Newcomer): string {
  const id = newcomer.id.trim();
  const name = newcomer.name.trim();
  const rate = rateOf(newcomer.rate);
  const lines = [`id = ${quoted(id)}`];
  if (name !== "") lines.push(`name = ${quoted(name)}`);
  lines.push("", "[source]");
  // A comment ends with its line: nothing but an id may stand in it.
  if (newcomer.kind === "stream" && ID.test(id)) lines.push(`# User and password: ${variables(id)[0]} and _PASSWORD from the environment.`);
  lines.push(`url = ${quoted(sourceUrl(newcomer))}`);
  if (newcomer.kind === "file" && newcomer.loop) lines.push("loop = true");
  if (rate !== null && !Number.isNaN(rate)) lines.push(`rate = ${rate}`);
  return `${lines.join("\n")}\n`;
}

/** The field of the form that a fault of the server is about; null for none of them. */
export function fieldOf(fault: Fault): FieldName | null {
  const fields: Record<string, FieldName> = { id: "id", name: "name", "source.url": "address", "source.loop": "address", "source.rate": "rate" };
  return fields[fault.field] ?? null;
}
