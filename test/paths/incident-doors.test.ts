import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Ask } from "../../src/cli/client.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import type { ReceivedReport } from "../../src/custody/incident-record.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import type { IncidentState } from "../../src/log/incidents.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { checkReceipt, type HeldFile } from "../../src/log/verify.ts"
import { organizationOf, suspendPerson } from "../destinations.ts"
import { policyOf } from "../incident.ts"
import { codeOf, openTestPort, type Role, type TestPort } from "../port.ts"
import { clientFor } from "../server.ts"

/** Incidents through a server, by signed requests. */

let port: TestPort
let server: Server
let sub: string

beforeAll(async () => {
  port = await openTestPort()
  sub = await organizationOf(port, "engineer")
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
})
afterAll(async () => {
  await server.close()
  await port.close()
})

const ask = <T = unknown>(role: Role, of: Ask) =>
  clientFor(port.people[role], server.url, port.house.log.origin).json<T>(of)

function stated(changed: object = {}) {
  const at = new Date(port.house.log.clock() - 60_000).toISOString()
  return {
    ...{
      title: "our network",
      cause: { of: "organizations", organizations: [sub] },
      from: null,
      until: null,
    },
    ...{ discovered: [{ party: "subcontractor", at }], facts: {}, note_commitment: null },
    ...changed,
  }
}

let keys = 0
function declare(
  changed: object = {},
  of: { path?: string; key?: string; names?: Record<string, string> } = {},
) {
  const { path = "/v1/incidents", key = `key-${++keys}`, names } = of
  const headers = { "idempotency-key": key }
  const more = names === undefined ? {} : { names }
  return { method: "POST", path, statement: stated(changed), headers, ...more } as const
}

interface Done {
  readonly incident: string
  readonly entry: number
  readonly again?: true
}

describe("declaring", () => {
  test("needs an Idempotency-Key", async () => {
    const { headers: _, ...keyless } = declare()
    expect(await codeOf(ask("privacy", keyless))).toBe("INVALID")
  })

  test("asked eight times at once, it is one incident", async () => {
    const one = declare({}, { key: "at-once" })
    const done = await Promise.all(Array.from({ length: 8 }, () => ask<Done>("privacy", one)))
    expect(new Set(done.map(({ incident }) => incident)).size).toBe(1)
    expect(done.filter(({ again }) => again === undefined)).toHaveLength(1)
  })

  test("a note is kept behind a commitment, and asked again with another salt it is the same incident", async () => {
    const { note_commitment: _, ...statement } = stated()
    const noted = { ...declare({}, { key: "noted", names: { note: "the vendor's own words" } }), statement }
    const first = await ask<Done>("privacy", noted)
    expect(await ask<Done>("privacy", noted)).toEqual({ ...first, again: true })
    const [row] = await port.house.ledger.entries(first.entry, first.entry + 1)
    expect(Buffer.from(row!.bytes).toString()).not.toContain("own words")
    expect((await port.house.ledger.openings(first.entry)).map(({ field }) => field)).toEqual(["note"])
  })

  const odd: readonly [string, object][] = [
    ["a field that is none", { plates: ["SP7X042"] }],
    ["a title of two lines", { title: "a\nb" }],
    ["no discovery", { discovered: [] }],
    ["a party that is none", { discovered: [{ party: "press", at: "2026-01-01T00:00:00Z" }] }],
    ["two causes in one", { cause: { of: "people", people: [], organizations: [] } }],
    [
      "65 organizations",
      {
        cause: {
          of: "organizations",
          organizations: Array.from({ length: 65 }, (_, i) => `org_${String(i).padStart(26, "0")}`),
        },
      },
    ],
    ["a fact in capitals", { facts: { elements: { PLATE: "yes" } } }],
    ["an answer that is none", { facts: { elements: { pii: "perhaps" } } }],
    ["a local time", { from: "2026-01-01T00:00:00+01:00" }],
  ]
  for (const [what, changed] of odd)
    test(`takes no ${what}`, async () =>
      expect(await codeOf(ask("privacy", declare(changed)))).toBe("INVALID"))
})

describe("a vendor", () => {
  test("reports, and sees and reckons nothing", async () => {
    const { incident } = await ask<Done>("engineer", declare({}, { path: "/v1/breach-reports" }))
    const refused: readonly Ask[] = [
      { method: "GET", path: "/v1/incidents" },
      { method: "GET", path: `/v1/incidents/${incident}/scope` },
      { method: "GET", path: `/v1/incidents/${incident}/clocks` },
      { method: "POST", path: `/v1/incidents/${incident}/scopes`, statement: { version: 1 } },
      { method: "POST", path: `/v1/incidents/${incident}/clocks`, statement: { version: 1 } },
      {
        method: "POST",
        path: `/v1/incidents/${incident}/amendments`,
        statement: { version: 1, ...stated() },
      },
    ]
    for (const each of refused)
      expect([each.path, await codeOf(ask("engineer", each))]).toEqual([each.path, "OFFICE"])
  })

  test("reads back that his own report was received, with its receipt, and nothing else of the incident", async () => {
    const stating = declare({}, { path: "/v1/breach-reports" })
    const { incident, entry } = await ask<Done>("engineer", stating)
    const read = (role: Role, id = incident) =>
      ask<ReceivedReport>(role, { method: "GET", path: `/v1/incidents/${id}` })
    const report = await read("engineer")
    expect(Object.keys(report).sort()).toEqual(["entry", "incident", "receipt", "received_at"])
    expect(report).toMatchObject({ incident, entry })
    const [row] = await port.house.ledger.entries(entry, entry + 1)
    expect(parseEntry(row!.bytes)).toMatchObject({ incident, at: report.received_at, reported: true })
    // What the agency finds out since is not told.
    const statement = { version: 1, ...stated() }
    await ask("privacy", { method: "POST", path: `/v1/incidents/${incident}/amendments`, statement })
    const again = await read("colleague")
    expect({ ...again, receipt: "" }).toEqual({ ...report, receipt: "" })
    expect(await read("auditor")).toMatchObject({ incident, version: 2, status: "declared" })
    expect(await codeOf(read("prime"))).toBe("OFFICE")
    // Whether there is another one is not told either.
    const { incident: agencys } = await ask<Done>("privacy", declare())
    for (const id of [agencys, "inc_none"]) expect(await codeOf(read("engineer", id))).toBe("OFFICE")
    await suspendPerson(port, "engineer", true)
    expect(await codeOf(read("engineer"))).toBe("PERSON_SUSPENDED")
    // Who is suspended may still report, and so gets the receipt of the same report again.
    expect(await ask<Done>("engineer", stating)).toMatchObject({
      ...{ incident, entry, again: true, receipt: expect.stringContaining("tlog-proof") },
    })
    await suspendPerson(port, "engineer", false)
  })

  test("checks the receipt of his report offline: a tree, a signature or a report that is another is refused", async () => {
    const { incident } = await ask<Done>("engineer", declare({}, { path: "/v1/breach-reports" }))
    const { receipt } = await ask<ReceivedReport>("engineer", {
      ...{ method: "GET", path: `/v1/incidents/${incident}` },
    })
    const checked = (text: string, file: HeldFile | null = null) =>
      checkReceipt({ receipt: text, policy: policyOf(port), file, verify: verifyEd25519 })
    expect(checked(receipt)).toMatchObject({ refusal: null, entry: { kind: "incident.declared", incident } })
    expect(checked(receipt).checks.at(-1)).toEqual({
      ...{ name: "the author's signed request holds", holds: true },
    })
    const bent = receipt.replace(/^extra (.{40})(.)/m, (_, start: string, letter: string) => {
      return `extra ${start}${letter === "A" ? "B" : "A"}`
    })
    expect(bent).not.toBe(receipt)
    expect(["RECEIPT_INCLUSION", "RECEIPT_FORMAT"]).toContain(checked(bent).refusal)
    // It is no receipt of an image.
    expect(checked(receipt, { sha256: "0".repeat(64), size_bytes: 1 }).refusal).toBe("RECEIPT_NOT_PERMIT")
  })

  test("is listed where he reported, and not where only what was declared is asked for", async () => {
    const listed = async (status: string) =>
      (
        await ask<{ data: IncidentState[] }>("auditor", {
          method: "GET",
          path: `/v1/incidents?status=${status}`,
        })
      ).data
    expect((await listed("reported")).every(({ reported }) => reported)).toBe(true)
    expect((await listed("reported")).length).toBeGreaterThan(0)
    expect((await listed("declared")).every(({ status }) => status === "declared")).toBe(true)
    expect(await listed("closed")).toEqual([])
  })
})

test("what is not there is said to be not there, and the agency does not report", async () => {
  const { incident } = await ask<Done>("privacy", declare())
  expect(await codeOf(ask("privacy", { method: "GET", path: `/v1/incidents/${incident}/scope` }))).toBe(
    "NOT_FOUND",
  )
  expect(await codeOf(ask("privacy", { method: "GET", path: "/v1/incidents/inc_none" }))).toBe("NOT_FOUND")
  expect(await codeOf(ask("privacy", declare({}, { path: "/v1/breach-reports" })))).toBe("OFFICE")
})
