import { createHash } from "node:crypto"
import type { FastifyInstance } from "fastify"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parse } from "csv-parse/sync"
import { textOf } from "../../src/bytes.ts"
import { incidentOf } from "../../src/custody/incident-record.ts"
import { isInTable, lettersAs, lettersOf } from "../../src/custody/letters.ts"
import { makeStatement, signedFiles, type Made } from "../../src/custody/statements.ts"
import { buildServer } from "../../src/http/server.ts"
import { parseCode, type Letter } from "../../src/incident/letter.ts"
import { allEntries } from "../forge.ts"
import { breach, leave, said, state } from "../incident.ts"
import { openTestPort, type TestPort } from "../port.ts"

let port: TestPort
let app: FastifyInstance
let incident: string
let captures: readonly string[]
let made: Made
let letters: Letter[]

beforeAll(async () => {
  port = await openTestPort()
  captures = await leave(port, 3)
  incident = await breach(port)
  const options = { host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" }
  app = await buildServer(port.house, { ...options, standing: { differences: [] } })
  const before = await lettersOf(port.house, await incidentOf(port.house, incident))
  letters = [...before.letters()]
}, 60_000)
afterAll(async () => {
  await app.close()
  await port.close()
})

const ask = (code: string, address = "192.0.2.1") =>
  app.inject({ url: `/v1/notice-codes/${encodeURIComponent(code)}`, remoteAddress: address })

describe("letters", () => {
  test("one for each image that left, with what could be seen, and never the same code twice", () => {
    expect(letters.map(({ capture }) => capture)).toEqual([...captures].sort())
    expect(new Set(letters.map(({ code }) => code)).size).toBe(3)
    for (const letter of letters) {
      expect(letter).toMatchObject({
        ...{ incident, level: "L2", port: "Port", lane: "Lane 1", organizations: ["Sub"] },
        visible: "the license plate and what is around it; faces were covered",
      })
      expect(letter.hour).toMatch(/^\d{4}-\d\d-\d\dT\d\d[+-]\d\d:\d\d$/)
      expect(parseCode(letter.code)).toBe(letter.code)
    }
    expect(JSON.stringify(letters)).not.toMatch(/SP7X042|Planted/)
  })
  test("codes of another incident are others", async () => {
    const other = await lettersOf(port.house, await incidentOf(port.house, await breach(port)))
    const codes = new Set([...other.letters()].map(({ code }) => code))
    expect(letters.some(({ code }) => codes.has(code))).toBe(false)
  })
  test("a code is nobody's before two people signed", async () => {
    made = await makeStatement(port.house, incident, said)
    expect((await ask(letters[0]!.code, "192.0.2.2")).json()).toMatchObject({ ours: false, incident: null })
  })
})

describe("the check of a code, once two people signed", () => {
  beforeAll(async () => {
    made = await state(port, incident)
  }, 60_000)
  test("says whether it is ours, of which incident, signed when, and nothing else", async () => {
    const answer = (await ask(letters[0]!.code)).json() as Record<string, unknown>
    expect(answer).toMatchObject({ object: "notice_code", ours: true, incident })
    expect(Object.keys(answer).sort()).toEqual(["incident", "object", "ours", "says", "signed_on"])
    for (const hidden of [captures[0]!, letters[0]!.hour, "Port", "Sub"])
      expect(JSON.stringify(answer)).not.toContain(hidden)
  })
  test("every answer has the same form and length", async () => {
    const typed = [
      letters[1]!.code,
      letters[1]!.code.toLowerCase(),
      "0".repeat(17),
      "nonsense",
      "0000-0000-0000-0000-1",
    ]
    const answers = await Promise.all(typed.map((code, i) => ask(code, `198.51.100.${i + 1}`)))
    expect(answers.map(each => (each.json() as { ours: boolean }).ours)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect(new Set(answers.map(({ body }) => body.length)).size).toBe(1)
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ headers }) => JSON.stringify({ ...headers, date: "" }))).size).toBe(1)
  })
  test("as a page too, with a form, of one length", async () => {
    const of = (query: string, address: string) =>
      app.inject({ url: `/notice${query}`, remoteAddress: address })
    const [empty, ours, other, odd] = await Promise.all([
      of("", "192.0.2.20"),
      of(`?code=${letters[0]!.code}`, "192.0.2.21"),
      of("?code=0000-0000-0000-0000-1", "192.0.2.22"),
      of(`?code=${encodeURIComponent('"><script>alert(1)</script>')}`, "192.0.2.23"),
    ])
    expect(ours.body).toContain("This code is on a letter of ours.")
    expect(ours.body).toContain(incident)
    expect(other.body).toContain("not on any letter of ours")
    expect(odd.body).not.toContain("<script>alert")
    expect(new Set([empty, ours, other, odd].map(({ rawPayload }) => rawPayload.length)).size).toBe(1)
    expect(empty.headers["content-security-policy"]).toContain("form-action 'self'")
  })
  test("who asks one code after another is slowed, and nobody else is", async () => {
    const answers = await Promise.all(Array.from({ length: 14 }, () => ask("0".repeat(17), "203.0.113.9")))
    const slowed = answers.filter(({ statusCode }) => statusCode === 429)
    expect(slowed.length).toBeGreaterThanOrEqual(3)
    expect(slowed[0]!.json()).toMatchObject({ code: "RATE" })
    expect((await ask(letters[0]!.code, "203.0.113.10")).statusCode).toBe(200)
  })
  test("the log holds the digest of the letters alone, and the files are those that were signed", async () => {
    const text = (await allEntries(port)).map(bytes => textOf(bytes)).join("\n")
    for (const { code } of letters) expect(text).not.toContain(code)
    expect(text).toContain(made.letters_sha256!)
    const held = await incidentOf(port.house, incident)
    const all = await lettersOf(port.house, held)
    const ndjson = Buffer.concat([...lettersAs("ndjson", all)])
    expect(createHash("sha256").update(ndjson).digest("hex")).toBe(made.letters_sha256)
    const csv = Buffer.concat([...lettersAs("csv", all)])
    expect(createHash("sha256").update(csv).digest("hex")).toBe(made.frozen.letters!.csv_sha256)
    expect((parse(csv, { columns: true }) as Letter[]).map(({ code }) => code)).toEqual(
      letters.map(each => each.code),
    )
    const congress = made.files.find(({ name }) => name === "congress.txt")!
    expect(textOf(congress.bytes)).toContain(`In the hands of Sub, person ${port.people.engineer.person}`)
    expect(textOf(congress.bytes)).toContain("Taken at Port [")
    const names = (await signedFiles(port.house, held)).map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(["statement.json", "press.txt", "statement.pdf", "frozen.json"]),
    )
  })
})

test("a table finds what is in it and nothing beside", () => {
  const row = (n: number) => createHash("sha256").update(String(n)).digest().subarray(0, 16)
  for (const size of [0, 1, 2, 3, 100]) {
    const rows = Array.from({ length: size }, (_, n) => row(n)).sort(Buffer.compare)
    const table = Buffer.concat(rows)
    for (const each of rows) expect(isInTable(table, each)).toBe(true)
    for (let n = size; n < size + 50; n += 1) expect(isInTable(table, row(n))).toBe(false)
  }
})
