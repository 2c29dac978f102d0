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
})
