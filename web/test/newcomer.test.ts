import { describe, expect, it } from "vitest";

import { NOBODY, fieldOf, pasted, quoted, sourceUrl, tomlOf, variables, wrongs } from "../src/adding/newcomer";
import type { Newcomer } from "../src/adding/newcomer";

const SHORE: Newcomer = { ...NOBODY, id: "shore-2", address: "rtsp://10.0.0.8/stream1" };

/** What a reader of TOML makes of a basic string (v1.0.0). */
function read(literal: string): string {
  // eslint-disable-next-line no-control-regex -- it is these that TOML does not take.
  expect(literal).toMatch(/^"([^"\\\u0000-\u001f\u007f]|\\["\\btnfr]|\\u[0-9a-f]{4})*"$/u);
  return JSON.parse(literal) as string;
}

function wrongOf(change: Partial<Newcomer>): unknown {
  return wrongs({ ...SHORE, ...change }, ["gate"]);
}

describe("a string of TOML", () => {
  it("comes back as it was typed, whatever it is", () => {
    const texts = ["plain", "院子", 'a "b"', "C:\\clips\\n.avi", "\\", '\\"', '"""', "'", "#=[]{}", "a\tb\nc\rd\be\ff", "\u0000\u001f\u007f", "🚶‍♀️", "]\n[evil]\nurl = \"x\"", "\u2028\u0085"];
    for (const text of texts) expect(read(quoted(text)), JSON.stringify(text)).toBe(text);
  });
  it("has no half of a pair, which no file can hold", () => {
    expect(quoted("a\ud83db\udeb6")).toBe('"a\ufffdb\ufffd"');
    expect(quoted("\ud83d\udeb6")).toBe('"🚶"');
  });
});

describe("the file of a new camera", () => {
  it("has what was typed and no more", () => {
    expect(tomlOf(SHORE)).toBe(
      'id = "shore-2"\n\n[source]\n# User and password: LOOKOUT_CAMERA_SHORE_2_USER and _PASSWORD from the environment.\nurl = "rtsp://10.0.0.8/stream1"\n',
    );
    expect(tomlOf({ ...SHORE, id: " shore ", name: ' 北岸 "2" ', kind: "file", address: " clips/a b.mp4 ", rate: "7,5" })).toBe(
      'id = "shore"\nname = "北岸 \\"2\\""\n\n[source]\nurl = "file:clips/a b.mp4"\nloop = true\nrate = 7.5\n',
    );
    expect(tomlOf({ ...SHORE, kind: "device", address: "/dev/video0", rate: "8" })).toBe('id = "shore-2"\n\n[source]\nurl = "v4l2:/dev/video0"\nrate = 8\n');
    expect(tomlOf({ ...SHORE, kind: "file", address: "a.avi", loop: false })).not.toContain("loop");
  });
  it("cannot get another line by what is typed", () => {
    const evil = '"\n[detect]\nmodel = "x';
    const toml = tomlOf({ ...SHORE, id: evil, name: evil, kind: "file", address: evil, rate: "1\n[detect]" });
    expect(toml.split("\n").filter((line) => line.startsWith("["))).toEqual(["[source]"]);
    expect(toml.trimEnd().split("\n")).toHaveLength(6);
    expect(tomlOf({ ...SHORE, id: "a\nb = 1" })).toBe('id = "a\\nb = 1"\n\n[source]\nurl = "rtsp://10.0.0.8/stream1"\n');
  });
  it("has the variables that Lookout reads", () => {
    expect(variables("gate-2b")).toEqual(["LOOKOUT_CAMERA_GATE_2B_USER", "LOOKOUT_CAMERA_GATE_2B_PASSWORD"]);
  });
});

describe("what is wrong with a new camera", () => {
  it("is nothing where it is right", () => {
    expect(wrongOf({})).toEqual({});
    for (const address of ["RTSP://cam.example:554/a?b=c@d", "https://[fe80::1]:8443/x", "http://10.0.0.8", "rtsps://a/b#c"]) expect(wrongOf({ address }), address).toEqual({});
    expect(wrongOf({ kind: "device", address: "/dev/v4l/by-id/usb-1" })).toEqual({});
    expect(wrongOf({ kind: "file", address: "a..b/院子.mp4" })).toEqual({});
    for (const rate of ["", "8", " 0.5 ", "240", "7,5", ".5"]) expect(wrongOf({ rate }), rate).toEqual({});
  });
  it("is said of the id", () => {
    expect(wrongOf({ id: " " })).toEqual({ id: "missing" });
    for (const id of ["-a", "_a", "a b", "../a", "a/b", "院子", "a.b", "x".repeat(65)]) expect(wrongOf({ id }), id).toEqual({ id: "id" });
    expect(wrongOf({ id: "gate " })).toEqual({ id: "taken" });
  });
  it("is said of the address", () => {
    expect(wrongOf({ address: " " })).toEqual({ address: "missing" });
    for (const address of ["10.0.0.8/stream1", "ftp://a/b", "rtsp://", "rtsp:///x", "rtsp://a b", "rtsp://a:b/c", "rtsp://a:123456/", "gopher"]) expect(wrongOf({ address }), address).toEqual({ address: "stream" });
    for (const address of ["rtsp://me:secret@10.0.0.8/", "http://me@cam"]) expect(wrongOf({ address }), address).toEqual({ address: "credentials" });
    // A password with a slash hides its @ behind it.
    expect(wrongOf({ address: "rtsp://me:sec/ret@10.0.0.8/" })).toEqual({ address: "stream" });
    for (const address of ["video0", "/dev/", "/etc/passwd", "/dev/../etc/passwd"]) expect(wrongOf({ kind: "device", address }), address).toEqual({ address: "device" });
    for (const address of ["../secret.mp4", "/a/../b", ".."]) expect(wrongOf({ kind: "file", address }), address).toEqual({ address: "file" });
  });
  it("is said of name and rate, and of all at once", () => {
    expect(wrongOf({ name: "a\u0007" })).toEqual({ name: "name" });
    expect(wrongOf({ name: "x".repeat(201) })).toEqual({ name: "name" });
    expect(wrongOf({ name: "🚶".repeat(200) })).toEqual({});
    for (const rate of ["0", "-1", "241", "fast", "1e3", "0x8", ".", "1.2.3"]) expect(wrongOf({ rate }), rate).toEqual({ rate: "rate" });
    expect(wrongs({ ...NOBODY, rate: "x" }, [])).toEqual({ id: "missing", address: "missing", rate: "rate" });
  });
});

it("takes whole addresses that are pasted", () => {
  expect(pasted("file:vtest.avi")).toEqual({ kind: "file", address: "vtest.avi" });
  expect(pasted(" v4l2:/dev/video1")).toEqual({ kind: "device", address: "/dev/video1" });
  expect(pasted("RTSP://a/b")).toEqual({ kind: "stream", address: "RTSP://a/b" });
  expect(pasted("/dev/video0")).toBeNull();
  expect(pasted("clips/file:1.mp4")).toBeNull();
  expect(sourceUrl({ ...SHORE, address: " RTSP://Cam/A " })).toBe("rtsp://Cam/A");
});

it("puts the server's faults where they belong", () => {
  const fault = (field: string) => fieldOf({ file: "a.toml", line: 1, column: 1, field, message: "no" });
  expect(["id", "name", "source.url", "source.rate", "", "zone[0].id"].map(fault)).toEqual(["id", "name", "address", "rate", null, null]);
});
