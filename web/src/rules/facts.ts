/** What a sentence about a rule is made of: its values with the defaults filled in, in the words of one language. */

import type { Kind, Severity } from "../api/types";

export type RuleKind = Exclude<Kind, "occupancy" | "health">;

export interface Facts {
  kind: RuleKind;
  /** Name of the zone or line. */
  place: string;
  people: string;
  density: string;
  radius: string | null;
  standing: boolean;
  dwell: string;
  from: string | null;
  to: string | null;
  /** The way is drawn. */
  drawn: boolean;
  distance: string;
  share: string;
  speed: string;
  factor: string;
  exempt: boolean;
  /** Proximity of a row of people. */
  queue: boolean;
  after: string;
  /** Null where it is none. */
  hold: string | null;
  /** Null where it is the usual one. */
  gap: string | null;
  cooldown: string | null;
  severity: Severity;
  severityWord: string;
  steps: { value: string; severity: string }[];
  /** Null for always. */
  schedule: string | null;
}
