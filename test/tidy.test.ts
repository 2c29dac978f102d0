import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { brokenWalls, importsOf, root, sources, untidiness } from "./tidy.ts"

const files = sources()

test("no room imports what is beyond its walls", () => expect(brokenWalls(files)).toEqual([]))
test("names, lengths and doors are as the house has them", () => expect(untidiness(files)).toEqual([]))

test("every runtime dependency has an exact version and its line in docs/decisions/dependencies.md", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>
  }
  const page = readFileSync(join(root, "docs/decisions/dependencies.md"), "utf8")
  expect(Object.entries(dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  expect(Object.keys(dependencies).filter(name => !page.includes(`| \`${name}\``))).toEqual([])
})

test("every decision page says context, choice and what was refused", () => {
  const pages = readdirSync(join(root, "docs/decisions")).filter(name => /^\d{4}-.*\.md$/.test(name))
  expect(pages.length).toBeGreaterThan(3)
  for (const page of pages) {
    const text = readFileSync(join(root, "docs/decisions", page), "utf8")
    for (const heading of ["## Context", "## Choice", "## Refused"]) expect(text, page).toContain(heading)
  }
})

test("each row of ARCHITECTURE's invariants names tests that exist", () => {
  const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8")
    .split("\n")
    .filter(line => /^\| \d+ \|/.test(line))
  expect(rows.length).toBeGreaterThanOrEqual(12)
  for (const row of rows) {
    const named = [...row.matchAll(/`((?:src|test)\/[^`]+\.ts)`/g)].map(match => match[1]!)
    if (!row.includes("not yet")) expect(named.length, row).toBeGreaterThan(0)
    for (const file of named) expect(existsSync(join(root, file)), file).toBe(true)
  }
})

describe("the checker itself fails where it must", () => {
  const wall = (path: string, text: string) => brokenWalls([{ path, text }])
  const tidy = (path: string, text: string) => untidiness([{ path, text }])
  test("imports are told apart", () => {
    expect(
      importsOf(
        'import { type A, type B } from "./a.ts"\nimport { a } from "./b.ts"\nimport type { C } from "./c.ts"\nconst d = await import("./d.ts")',
      ),
    ).toEqual([
      { target: "./a.ts", isType: false },
      { target: "./b.ts", isType: false },
      { target: "./c.ts", isType: true },
      { target: "./d.ts", isType: false },
    ])
  })
  const broken: [string, string, string][] = [
    ["seal/x.ts", 'import { readFile } from "node:fs"', "without the platform"],
    ["grant/x.ts", 'import { Log } from "../log/log.ts"', "grant may not import log"],
    ["tlog/x.ts", 'import { verifyEd25519 } from "../ed25519.ts"', "ground file"],
    ["http/x.ts", 'import { openSqlite } from "../objects/disk.ts"', "http may not import objects"],
    ["lane/x.ts", 'import { Vault } from "../vault/vault.ts"', "lane may not import vault"],
    ["vault/x.ts", 'const x = await import("../custody/admit.ts")', "vault may not import custody"],
    ["custody/x.ts", 'import { openHouse } from "../sallyport.ts"', "ground file"],
    ["cellar/x.ts", 'import { a } from "../grant/level.ts"', "no room of the house"],
  ]
  for (const [path, text, why] of broken)
    test(`${path}: ${why}`, () => expect(wall(path, text).join()).toContain(why))
  const untidy: [string, string, string][] = [
    ["http/x.ts", "await house.vault.withdraw(id, receipt)", "inner door"],
    ["grant/x.ts", "const now = Date.now()", "looks at the world"],
    ["log/utils.ts", "", "says nothing"],
    ["log/x.ts", "export default 1", "default export"],
    ["log/x.ts", "\n".repeat(500), "over 400"],
  ]
  for (const [path, text, why] of untidy)
    test(`${path}: ${why}`, () => expect(tidy(path, text).join()).toContain(why))
  test("types pass every wall", () =>
    expect(wall("grant/x.ts", 'import type { Log } from "../log/log.ts"')).toEqual([]))
})
