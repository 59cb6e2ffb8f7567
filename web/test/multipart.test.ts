import { describe, expect, it } from "vitest";

import { Parts } from "../src/live/multipart";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function stream(bodies: Uint8Array[]): Uint8Array {
  const pieces = [encode("--frame\r\n")];
  bodies.forEach((body, i) => {
    pieces.push(encode(`Content-Type: image/jpeg\r\nX-Lookout-Camera: c${i}\r\nContent-Length: ${body.length}\r\n\r\n`), body, encode("\r\n--frame\r\n"));
  });
  const out = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

// Bytes that look like ends of heads are part of pictures as well.
const BODIES = [encode("\r\n\r\na: b\r\n\r\n--frame\r\n"), new Uint8Array([0, 255, 13, 10, 13, 10]), new Uint8Array(0), encode("end")];

describe("parts", () => {
  it.each([1, 2, 3, 7, 50, 10_000])("come whole in portions of %d bytes", (size) => {
    const bytes = stream(BODIES);
    const parts = new Parts();
    const found: { camera: string | undefined; body: number[] }[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const part of parts.push(bytes.subarray(at, at + size))) found.push({ camera: part.headers.get("x-lookout-camera"), body: [...part.body] });
    }
    expect(found).toEqual(BODIES.map((body, i) => ({ camera: `c${i}`, body: [...body] })));
  });
  it("are refused without a length", () => {
    expect(() => new Parts().push(encode("--frame\r\nContent-Type: image/jpeg\r\n\r\nxx"))).toThrow();
    expect(() => new Parts().push(encode("--frame\r\nContent-Length: 99999999999\r\n\r\n"))).toThrow();
  });
});
