import { expect, it } from "vitest";

import { DEPTH, begin, commit, redo, settle, undo } from "../src/editor/history";

it("goes back and forth", () => {
  let h = commit(commit(begin("a"), "b"), "c");
  h = undo(undo(h));
  expect(h.present).toBe("a");
  expect(undo(h)).toBe(h);
  h = redo(h);
  expect(h.present).toBe("b");
  // A new step leaves what was undone.
  h = commit(h, "d");
  expect(redo(h)).toBe(h);
  expect(undo(h).present).toBe("b");
});

it("takes a movement as one step", () => {
  let h = begin(0);
  for (const value of [1, 2, 3]) h = commit(h, value, "drag");
  h = commit(settle(h), 4, "drag");
  expect(undo(h).present).toBe(3);
  expect(undo(undo(h)).present).toBe(0);
});

it("keeps no more than it may, and nothing that is no change", () => {
  let h = begin(0);
  for (let i = 1; i <= DEPTH + 50; i += 1) h = commit(h, i);
  expect(h.past.length).toBe(DEPTH);
  expect(commit(h, h.present)).toBe(h);
});
