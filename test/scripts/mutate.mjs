import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/**
 * Deletes each row of each table of checks in turn and runs the tests that hold it: a row whose deletion no test notices is
 * a survivor. Prints the list; exits 1 when there is a survivor. The files are put back whatever happens.
 * Run: `npm run mutate`.
 */
const root = fileURLToPath(new URL("../..", import.meta.url))

/** File, name of the table, and the tests that hold it. */
const targets = [
  { file: "src/grant/decide.ts", table: "decisionTable", tests: ["src/grant/decide.test.ts"] },
  { file: "src/grant/terms.ts", table: "termsRules", tests: ["src/grant/terms.test.ts"] },
  { file: "src/vault/checks.ts", table: "permitTable", tests: ["test/attack/withdraw.test.ts"] },
  { file: "src/vault/checks.ts", table: "receiptTable", tests: ["test/attack/withdraw.test.ts"] },
  { file: "src/vault/checks.ts", table: "captureTable", tests: ["test/attack/withdraw.test.ts"] },
  { file: "src/log/verify.ts", table: "receiptChecks", tests: ["src/log/verify.test.ts"] },
  { file: "src/log/verify.ts", table: "deliveryChecks", tests: ["src/log/verify.test.ts"] },
]

/** The rows of `export const TABLE … = [ … ]`: each starts with two spaces and a brace. */
function rowsOf(text, table) {
  const start = text.indexOf("[\n", text.indexOf(`export const ${table}`)) + 2
  const end = text.indexOf("\n]\n", start) + 1
  const starts = [...text.slice(start, end).matchAll(/^ {2}\{/gm)].map(match => start + match.index)
  return starts.map((from, i) => {
    const until = starts[i + 1] ?? end
    const row = text.slice(from, until)
    const name = /(?:refuse|broken):\s*"([^"]+)"/.exec(row)?.[1] ?? row.slice(0, 40)
    return { from, until, name: `${i + 1} ${name}` }
  })
}

let survivors = 0
for (const { file, table, tests } of targets) {
  const path = join(root, file)
  const original = readFileSync(path, "utf8")
  const rows = rowsOf(original, table)
  if (rows.length === 0) throw new Error(`${file}: no rows found in ${table}`)
  for (const { from, until, name } of rows) {
    try {
      writeFileSync(path, original.slice(0, from) + original.slice(until))
      const run = spawnSync(
        "npx",
        ["vitest", "run", "--project", "quick", "--bail", "1", "--reporter", "json", ...tests],
        { cwd: root, encoding: "utf8" },
      )
      const killer = failedTest(run.stdout)
      if (killer === null) survivors += 1
      process.stdout.write(
        `${killer === null ? "SURVIVOR" : "killed  "}  ${file} ${table} ${name}${killer === null ? "" : `  by: ${killer}`}\n`,
      )
    } finally {
      writeFileSync(path, original)
    }
  }
}
process.stdout.write(`survivors ${survivors}\n`)
process.exitCode = survivors === 0 ? 0 : 1

/** The first test that went red, or `null`. A run that could not start at all counts as no test. */
function failedTest(output) {
  const result = JSON.parse(output.slice(output.indexOf("{")))
  return (
    result.testResults.flatMap(each => each.assertionResults).find(each => each.status === "failed")
      ?.fullName ?? null
  )
}
