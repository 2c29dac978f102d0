import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { scopeResult, statementAsk, digestOf } from "../../test/scope-result.ts"
import { writeStatement } from "../incident/write-statement.ts"
import { statementPdf } from "./statement-pdf.ts"

const statement = writeStatement(statementAsk())
const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

describe("the statement as PDF", () => {
  test("two runs give the same bytes, and another statement others", async () => {
    const first = await statementPdf(statement, digestOf(statement))
    await new Promise(resolve => setTimeout(resolve, 1100))
    expect(sha(await statementPdf(statement, digestOf(statement)))).toBe(sha(first))
    const other = writeStatement(
      statementAsk({ result: scopeResult({ window_30d: { narrower: 1, wider: 2 } }) }),
    )
    expect(sha(await statementPdf(other, digestOf(other)))).not.toBe(sha(first))
  })
  test("it is a PDF of six pages or more, with its own fonts and the statement's time", async () => {
    const bytes = Buffer.from(await statementPdf(statement, digestOf(statement))).toString("latin1")
    expect(bytes.startsWith("%PDF-1.7")).toBe(true)
    expect(bytes.trimEnd().endsWith("%%EOF")).toBe(true)
    expect(bytes.match(/\/Type \/Page\b(?!s)/g)!.length).toBeGreaterThanOrEqual(6)
    expect(bytes).toContain("/FontFile")
    expect(bytes).not.toContain("/Helvetica")
    expect(bytes).toContain("D:20261127140300Z")
  })
  test("what runs over to the next page is as large as before", async () => {
    const unknowns = Array.from({ length: 80 }, (_, i) => {
      return { what: "screens", sentence: `Nobody can see screen ${i}.`, count: null }
    })
    const long = writeStatement(statementAsk({ result: scopeResult({ unknowns }) }))
    const bytes = Buffer.from(await statementPdf(long, digestOf(long))).toString("latin1")
    const pages = bytes.split("endstream").filter(each => each.includes("BT") && each.includes(" Tf"))
    // The first of a page is its foot's.
    const sizes = pages.map(page => [...page.matchAll(/ ([\d.]+) Tf/g)].map(([, size]) => Number(size)))
    expect(sizes.length).toBeGreaterThan(8)
    for (const [foot, ...rest] of sizes) expect([foot, rest.includes(7)]).toEqual([7, false])
  })
})
