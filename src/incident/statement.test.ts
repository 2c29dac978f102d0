import { describe, expect, test } from "vitest"
import { canonical } from "../canonical.ts"
import { clocks, counts, exactly, facts, scopeResult, statementAsk } from "../../test/scope-result.ts"
import {
  audiences,
  boundsSaid,
  brokenSource,
  sourceLines,
  textFor,
  type Audience,
  type Statement,
} from "./statement.ts"
import { writeStatement } from "./write-statement.ts"

const statement = writeStatement(statementAsk())
const plain = (audience: Audience) => textFor(statement, audience, "none")

describe("every number has its source", () => {
  test("each number of each text stands in a reference that its source bears out", () => {
    expect(brokenSource(statement, scopeResult())).toBeNull()
    for (const audience of audiences) {
      let text = textFor(statement, audience).split("SOURCES\n")[0]!
      text = text.slice(text.indexOf("\n"))
      const said = [...statement.references].sort((a, b) => b.text.length - a.text.length)
      for (const { id, text: words } of said) text = text.replaceAll(`${words} [${id}]`, "")
      expect(text, audience).not.toMatch(/\d/)
    }
  })
  test("another result bears none of it out, and the reference is named", () => {
    const other = scopeResult({ left: { ...scopeResult().left, images: exactly(1_841) } })
    expect(brokenSource(statement, other)).toMatch(
      /says "exactly 1,840 different pictures", and \/left\/images/,
    )
  })
  test("a bent text, a number in the words, or a lost reference is found", () => {
    const bend = (from: string, to: string) =>
      JSON.parse(JSON.stringify(statement).replace(from, to)) as Statement
    expect(brokenSource(bend("exactly 1,903 files", "exactly 903 files"), scopeResult())).toContain("903")
    expect(brokenSource(bend("We count ", "We count 7 and "), scopeResult())).toContain("without a source")
    expect(brokenSource(bend('{"ref":"1"}', '{"ref":"99"}'), scopeResult())).toContain("99")
    expect(brokenSource(bend("prt_01KB0000000000000000000000", "prt_x"), scopeResult())).not.toBeNull()
  })
  test("the page of sources says field, digest and how it was counted", () => {
    const lines = sourceLines(statement, "press").join("\n")
    expect(lines).toContain(`scope result ${statement.scope.result_sha256.slice(0, 16)}…, field /left/people`)
    expect(lines).toContain("Faces that were found")
    expect(sourceLines(statement, "congress").join("\n")).toContain("for counsel to confirm")
  })
})

describe("what is said", () => {
  test("bounds in plain words, never one number for two", () => {
    expect(boundsSaid(exactly(1), ["person", "people"])).toBe("exactly 1 person")
    expect(boundsSaid({ at_least: 0, at_most: 2, how: "" }, ["person", "people"])).toBe(
      "at least 0 and at most 2 people",
    )
    expect(plain("press")).toContain(
      "We count at least 604 and at most 3,680 people (our best estimate is 1,120, and it is likely between 1,090 and 1,150).",
    )
    for (const audience of audiences) expect(plain(audience)).not.toMatch(/fewer than|less than|up to/i)
  })
  test("window, checkpoint and unknowns stand in every text but the checkpoint in a letter", () => {
    for (const audience of audiences) {
      expect(plain(audience)).toContain("from 2 November 2018, 00:00 UTC until 13 May 2019, 00:00 UTC")
      expect(plain(audience)).toContain("Nobody can see whether a screen was photographed.")
      expect(plain(audience)).toContain("between 1,700 different pictures and 1,990 different pictures")
    }
    expect(plain("press")).toContain("41,220 entries")
    expect(plain("congress")).toContain(scopeResult().checkpoint.root)
  })
  test("days are the first and last, in whatever order the parts come; one day is said once", () => {
    expect(plain("press")).toContain("The pictures were taken from 3 November 2018 to 15 December 2018.")
    expect(plain("press")).toContain("They left the vault on 8 January 2019.")
  })
  test("what was looked for and is not there is said in one sentence", () => {
    const none = "Other things that could be unknown were looked for, and there are none."
    expect(plain("press")).not.toContain(none)
    const unknowns = [
      ...scopeResult().unknowns,
      { what: "no_face_looked_for", sentence: "In 0 images nothing looked for faces.", count: 0 },
    ]
    const result = scopeResult({ unknowns })
    const text = textFor(writeStatement(statementAsk({ result })), "press", "none")
    expect(text).toContain(none)
    expect(text).not.toContain("In 0 images")
  })
  test("a bent moment is found", () => {
    const bent = JSON.stringify(statement).replace("13 May 2019", "14 May 2019")
    expect(brokenSource(JSON.parse(bent) as Statement, scopeResult())).toContain("14 May 2019")
  })
  test("what nobody told is said as unknown", () => {
    const bare = writeStatement(
      statementAsk({ facts: { ...facts, happened: null, doing: null }, clocks: [] }),
    )
    const text = textFor(bare, "congress", "none")
    expect(text).toContain("We do not yet know how it happened.")
    expect(text).toContain("What we do about it is not settled yet.")
    expect(text).toContain("No clock runs that we know of.")
  })
  test("all seven units for Congress, each with its own name", () => {
    const result = scopeResult({ left: counts({}, exactly(5)) })
    const text = textFor(writeStatement(statementAsk({ result })), "congress", "none")
    for (const unit of [
      "files",
      "different pictures",
      "near copies",
      "crossings",
      "license plates",
      "vehicles",
      "people",
    ])
      expect(text).toContain(unit)
  })
  test("clocks say by how much one was missed; what is not triggered is in the machine file; law is for counsel", () => {
    expect(plain("congress")).toContain(
      "subcontractor to the agency, under HSAR 3052.204-72(c): missed by 18 d, not confirmed by agency.",
    )
    expect(plain("congress")).not.toContain("521.053")
    expect(JSON.stringify(statement.clocks)).toContain("no name came with the pictures")
    expect(plain("congress")).toContain("Every line here is for counsel to confirm.")
    expect(plain("individuals")).toContain("5 U.S.C. 552a(c) (for counsel to confirm)")
  })
  test("a number that a law names: how what left stands to it, since when, and what is missing", () => {
    expect(plain("congress")).toContain(
      "A law that sets a number, New Mexico Statutes 57-12C; Another Code: 1,001 people: crossed, first by the end of 2019-01-08 (at least 604 and at most 3,680, likely 1,090 to 1,150).",
    )
    expect(plain("congress")).toContain(
      "1 residents of Arizona: not known, since nobody has stated how many residents of Arizona are concerned.",
    )
  })
  test("a threshold that the scope does not bear out is found", () => {
    const bend = (from: string, to: string) => {
      const text = JSON.stringify(statement)
      expect(text).toContain(from)
      return JSON.parse(text.replaceAll(from, to)) as Statement
    }
    const broken = (from: string, to: string) => brokenSource(bend(from, to), scopeResult())
    expect(broken('"crossed_on":"2019-01-08"', '"crossed_on":"2019-01-07"')).toContain("people against 1,001")
    expect(broken('"state":"crossed"', '"state":"possible"')).toContain("the scope does not say so")
    expect(broken("by the end of 2019-01-08", "by the end of 2019-01-09")).toContain("2019-01-09")
    const { thresholds: _, ...older } = bend('"thresholds"', '"thresholds"')
    const unsaid = { ...older, texts: { ...older.texts, congress: [] } }
    const references = older.references.filter(({ source }) => source !== "thresholds")
    expect(brokenSource({ ...unsaid, references }, scopeResult())).toBeNull()
  })
  test("a letter has its own fields, and no number of the holder's", () => {
    for (const field of ["code", "hour", "port", "visible"])
      expect(plain("individuals")).toContain(`«${field}»`)
    expect(plain("individuals")).not.toContain("per_")
  })
  test("the same ask gives the same bytes", () =>
    expect(canonical(writeStatement(statementAsk({ clocks: [...clocks] })))).toBe(canonical(statement)))
})

/** Flesch–Kincaid grade (Kincaid and others 1975): 0.39 words a sentence + 11.8 syllables a word − 15.59. */
function grade(text: string): number {
  const sentences = text.split(/[.?]\s/).filter(each => /[a-z]/.test(each))
  const words = text.match(/[A-Za-z’']+/g) ?? []
  const syllables = words.reduce((sum, word) => {
    const groups =
      word
        .toLowerCase()
        .replace(/e$/, "")
        .match(/[aeiouy]+/g)?.length ?? 1
    return sum + Math.max(1, groups)
  }, 0)
  return 0.39 * (words.length / sentences.length) + 11.8 * (syllables / words.length) - 15.59
}

describe("plain language", () => {
  test("the measure tells plain from dense", () => {
    expect(grade("The cat sat on the mat. It was a good cat. ")).toBeLessThan(3)
    expect(
      grade(
        "Notwithstanding aforementioned considerations, organizational accountability necessitates documentation. ",
      ),
    ).toBeGreaterThan(12)
  })
  for (const audience of audiences)
    test(`the text for ${audience} reads at grade 8 or below, and no sentence is long`, () => {
      const body = plain(audience)
        .split("\n")
        .slice(1)
        .filter(line => line !== line.toUpperCase())
        .map(line => line.replace(/\b[0-9a-f]{64}\b|\S+@\S+|https?:\S+|\b(per|prt)_\S+|\d[\d,:TZ-]*/g, "x"))
        .join("\n")
      expect(grade(`${body}\n`)).toBeLessThanOrEqual(8)
      for (const sentence of body.split(/[.?;:(]\s/))
        expect(sentence.split(/\s+/).length, sentence).toBeLessThanOrEqual(25)
    })
})
