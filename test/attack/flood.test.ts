import { createHash } from "node:crypto"
import { afterEach, expect, test } from "vitest"
import { openServer, type Server } from "../../src/http/server.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry, schemaDigest, type EntryOf, type Kind } from "../../src/log/kinds.ts"
import { names } from "../../src/log/state.ts"
import { openText } from "../../src/vault/keys.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { callerOf, openTestPort, type TestPort } from "../port.ts"
import { Floods } from "../../src/custody/floods.ts"
import { writeRows } from "../forge.ts"
import { clientFor } from "../server.ts"

let port: TestPort
let server: Server
afterEach(async () => {
  await port.close()
})

async function entriesOf<K extends Kind>(kind: K): Promise<EntryOf<K>[]> {
  const rows = await port.house.ledger.newestEntries({ kind, limit: 200 })
  return rows.map(row => parseEntry(row.bytes) as EntryOf<K>).reverse()
}
const check = () =>
  fsck(port.house.ledger, {
    origin: port.house.log.origin,
    verify: verifyEd25519,
    openText: (field, sealed) => openText(port.house.keys.root, field, sealed),
  })
async function open(perSecond: number, burst: number): Promise<void> {
  port = await openTestPort()
  const options = {
    openBundles: false,
    standing: { differences: [] },
    version: "0",
    rate: { perSecond, burst },
  }
  server = await openServer(port.house, { host: "127.0.0.1", port: 0, ...options })
}
const client = (role: "engineer" | "auditor" | "custodian" | "colleague") =>
  clientFor(port.people[role], server.url, port.house.log.origin)

test("a flood of signed requests adds one refusal and one count; other people are not touched", async () => {
  await open(0.001, 5)
  const before = (await port.house.log.head()).size
  const codes: string[] = []
  for (let i = 0; i < 60; i += 1)
    await client("engineer")
      .json({ method: "GET", path: "/v1/grants" })
      .then(
        () => codes.push("ok"),
        (error: { code: string }) => codes.push(error.code),
      )
  expect(codes.filter(code => code === "ok")).toHaveLength(5)
  expect(codes.filter(code => code === "RATE")).toHaveLength(55)
  expect((await port.house.log.head()).size).toBe(before + 1)
  await expect(client("colleague").json({ method: "GET", path: "/v1/grants" })).resolves.toBeTruthy()
  await server.close()
  const [folded, ...more] = await entriesOf("refused.folded")
  expect(more).toEqual([])
  expect(folded).toMatchObject({ code: "RATE", person: port.people.engineer.person, count: 54 })
  expect(Date.parse(folded!.last_at)).toBeGreaterThanOrEqual(Date.parse(folded!.first_at))
  expect((await check()).problems).toEqual([])
})

test("a request that somebody sends again charges nobody, and the digest is the chain of the signatures", async () => {
  await open(50, 500)
  await server.close()
  const floods = new Floods(port.house, { perSecond: 0.001, burst: 1 })
  const ask = () => callerOf(port.house, port.people.engineer, { path: "/v1/draws", statement: {} })
  const first = await ask()
  await floods.pass(first)
  for (let i = 0; i < 5; i += 1) await expect(floods.pass(first)).rejects.toMatchObject({ code: "REPLAY" })
  await expect(floods.pass(await ask())).rejects.toMatchObject({
    code: "RATE",
    extras: { entry: expect.any(Number) as number },
  })
  let digest: Uint8Array = new Uint8Array(32)
  for (let i = 0; i < 3; i += 1) {
    const caller = await ask()
    await expect(floods.pass(caller)).rejects.toMatchObject({ code: "RATE" })
    digest = createHash("sha256")
      .update(digest)
      .update(Buffer.from(caller.asked.signature, "base64"))
      .digest()
  }
  await floods.close()
  await floods.close()
  expect(await entriesOf("refused.folded")).toMatchObject([
    { count: 3, signatures_sha256: Buffer.from(digest).toString("hex") },
  ])
})

test("a text behind a commitment: reading it is an entry, destroying it leaves every proof, and fsck knows both", async () => {
  await open(50, 500)
  const enrolled = (await port.house.ledger.newestEntries({ kind: "motion.proposed", limit: 1 }))[0]!
  const path = `/v1/log/entries/${enrolled.index}`
  const shown = await client("auditor").json<{ openings: Record<string, string> }>({ method: "GET", path })
  expect(shown.openings).toEqual({ name: "Planted colleague" })
  expect(await entriesOf("opening.read")).toMatchObject([
    { entry: enrolled.index, person: port.people.auditor.person },
  ])
  await expect(client("engineer").json({ method: "GET", path })).rejects.toMatchObject({ code: "OFFICE" })
  const statement = { entry: enrolled.index, field: "name" }
  const destroy = (role: "auditor" | "custodian", of: object = statement) =>
    client(role).json<{ entry: number }>({
      method: "POST",
      path: "/v1/openings/destruction",
      statement: { ...statement, ...of },
    })
  await expect(destroy("auditor")).rejects.toMatchObject({ code: "OFFICE" })
  await expect(destroy("custodian", { field: "comment" })).rejects.toMatchObject({ code: "NOT_FOUND" })
  await expect(destroy("custodian", { field: "../x" })).rejects.toMatchObject({ code: "INVALID" })
  const receipt = await port.house.log.receiptAt(enrolled.index)
  await destroy("custodian")
  await expect(destroy("custodian")).rejects.toMatchObject({ code: "CONFLICT" })
  expect(await port.house.ledger.openings(enrolled.index)).toEqual([])
  const after = await client("auditor").json<{ openings: Record<string, string>; proof: string }>({
    method: "GET",
    path,
  })
  expect(after.openings).toEqual({})
  expect(after.proof.split("\n")[1]).toBe(receipt.split("\n")[1])
  expect((await check()).problems).toEqual([])
  await port.reopen()
  expect(port.opened.fsck.problems).toEqual([])
  // An administrator who deletes a text without an entry, or keeps one that was destroyed, is named.
  await writeRows(port, { destroyed: [{ entry: 0, field: "name" }] })
  await writeRows(port, {
    openings: [{ entry: enrolled.index, field: "name", salt: new Uint8Array(32), value: "x" }],
  })
  expect((await check()).problems.map(problem => problem.why)).toEqual([
    "it does not open the entry's commitment",
    "missing, and no entry says that it was destroyed",
    "an entry says that it was destroyed, and it is there",
  ])
  await server.close()
})

test("the log names the closed list of its entries' kinds, once", async () => {
  await open(50, 500)
  await server.close()
  await port.reopen()
  expect(await entriesOf("schema.changed")).toMatchObject([{ schema_sha256: schemaDigest }])
  expect(await port.house.ledger.counter(names.total("schema.changed"))).toBe(1)
})
