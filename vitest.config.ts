import { defineConfig } from "vitest/config"

/** What holds people or bytes to a time, or measures memory: nothing else runs beside it. */
const alone = [
  "test/crash/race.slow.test.ts",
  "test/crash/lane-memory.slow.test.ts",
  "test/browser/*.slow.test.ts",
]

/** `quick`: unit tests and the paths, no Postgres, S3, browser or ../shared needed. `slow` and `alone`: everything named
 * *.slow.test.ts. */
export default defineConfig({
  test: {
    // Every core works on a file: a run that nobody watches needs none for itself.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "quick",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/*.slow.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "slow",
          include: ["src/**/*.slow.test.ts", "test/**/*.slow.test.ts"],
          exclude: alone,
          testTimeout: 600_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "alone",
          include: alone,
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
