/** What the browser keeps for the next visit. A private window keeps nothing, and all works the same. */

const PREFIX = "lookout-";

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Nothing is lost but the wish.
  }
}
