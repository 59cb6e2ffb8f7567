import { defineConfig } from "vitest/config";

/** Tests in a real browser against a real run: `scripts/test-browser`. They are steps of one story. */
export default defineConfig({
  test: { environment: "node", include: [process.env["LOOKOUT_SCREENSHOTS"] === undefined ? "browser/**/*.test.ts" : "browser/**/*.shots.ts"], testTimeout: 180_000, hookTimeout: 120_000, bail: 1, fileParallelism: false },
});
