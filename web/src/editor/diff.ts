/** Lines of two texts side by side: what stayed, what went, what came. */

export interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

/** By the longest common subsequence; files of cameras are short. Unchanged lines farther than `near` from a change are
 *  left out, one `…` for each run of them. */
export function diff(before: string, after: string, near = 3): DiffLine[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  const length: number[][] = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => length[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = length[i] ?? [];
    for (let j = b.length - 1; j >= 0; j -= 1) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const all: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      all.push({ sign: " ", text: a[i] ?? "" });
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      all.push({ sign: "-", text: a[i] ?? "" });
      i += 1;
    } else {
      all.push({ sign: "+", text: b[j] ?? "" });
      j += 1;
    }
  }
  return shortened(all, near);
}

function shortened(all: DiffLine[], near: number): DiffLine[] {
  const keep = all.map((_, n) => all.slice(Math.max(0, n - near), n + near + 1).some((line) => line.sign !== " "));
  const out: DiffLine[] = [];
  all.forEach((line, n) => {
    if (keep[n] === true) out.push(line);
    else if (out.length > 0 && out[out.length - 1]?.text !== "…" && keep.slice(n).some(Boolean)) out.push({ sign: " ", text: "…" });
  });
  return out;
}
