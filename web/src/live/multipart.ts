/** Parts of a `multipart/x-mixed-replace` body as they arrive. Each part says its length. */

export interface Part {
  headers: Map<string, string>;
  body: Uint8Array;
}

/** More than any picture: what claims to be longer is no part of ours. */
const LONGEST = 8 * 1024 * 1024;
const decoder = new TextDecoder("latin1");

/** Takes bytes in any portions, gives whole parts. */
export class Parts {
  private held: Uint8Array = new Uint8Array(0);

  /** Throws where the stream is not what it should be. */
  push(bytes: Uint8Array): Part[] {
    const joined = new Uint8Array(this.held.length + bytes.length);
    joined.set(this.held);
    joined.set(bytes, this.held.length);
    const out: Part[] = [];
    let at = 0;
    for (;;) {
      const head = headEnd(joined, at);
      if (head < 0) break;
      const headers = headersOf(decoder.decode(joined.subarray(at, head)));
      const length = Number(headers.get("content-length") ?? Number.NaN);
      if (!Number.isInteger(length) || length < 0 || length > LONGEST) throw new Error("a part without its length");
      const end = head + 4 + length;
      if (end > joined.length) break;
      out.push({ headers, body: joined.slice(head + 4, end) });
      at = end;
    }
    this.held = joined.slice(at);
    if (this.held.length > LONGEST + 4096) throw new Error("a part without an end");
    return out;
  }
}

/** Index of the empty line that ends a head; -1 where it has not come yet. */
function headEnd(bytes: Uint8Array, from: number): number {
  for (let i = from; i + 3 < bytes.length; i += 1) {
    if (bytes[i] !== 13 || bytes[i + 1] !== 10 || bytes[i + 2] !== 13 || bytes[i + 3] !== 10) continue;
    // The line ends between two parts are no head.
    if (decoder.decode(bytes.subarray(from, i)).includes(":")) return i;
  }
  return -1;
}

function headersOf(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) out.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return out;
}
