/** The configuration's schema as the server gives it. */

import { readFileSync } from "node:fs";

export const SCHEMA: unknown = JSON.parse(readFileSync(new URL("../../configs/schema.json", import.meta.url), "utf8"));
