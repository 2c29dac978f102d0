import { execFile } from "node:child_process"
import { p256 } from "@noble/curves/nist.js"
import { createHash, randomBytes } from "node:crypto"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { base64 } from "../../src/bytes.ts"
import { fillIn, withDefaults } from "../../src/cli/request-form.ts"
import { writeKeyFile } from "../../src/cli/keyfile.ts"
import { examine } from "../../src/custody/examine.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { recordOf } from "../../src/custody/caller.ts"
import { suspend } from "../../src/custody/register.ts"
import { stalenessOf } from "../../src/custody/stale.ts"
import { signatureHeaders } from "../../src/grant/request-headers.ts"
import { isSigned, signatureBase, type Statement } from "../../src/grant/request.ts"
import { isAuthentic } from "../../src/log/authentic.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import type { Web } from "../../src/http/web.ts"
import {
  callerOf,
  grantOf,
  openTestPort,
  revoke,
  sealAndAdmit,
  second,
  takeIn,
  type Role,
  type TestPort,
} from "../port.ts"
import { passkeyName, signedByPasskey } from "../passkey.ts"
import { clientFor } from "../server.ts"
import { sources } from "../tidy.ts"

/** teleport#7663: whichever door somebody comes by (HTTP with a key, the command line, the desk's passkey), one decision. */
const program = fileURLToPath(new URL("../../bin/sallyport", import.meta.url))

let port: TestPort
let server: Server
let web: Web
let folder: string
let capture: string
const passkey = p256.utils.randomSecretKey()

beforeAll(async () => {
  port = await openTestPort()
  folder = await mkdtemp(join(tmpdir(), "sallyport-doors-"))
  const picture = new Uint8Array(
    await sharp({ create: { width: 120, height: 80, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer(),
  )
  capture = (await takeIn(port, { picture })).capture
  web = {
    ...{ origin: "http://localhost:7300", signIn: null },
    ...{ cookieKey: new Uint8Array(32), subjectKey: new Uint8Array(32) },
  }
  const options = { host: "127.0.0.1", port: 0, openBundles: false, version: "0" }
  server = await openServer(port.house, { ...options, standing: { differences: [] }, web })
  const { person, seed } = port.people.engineer
  await writeKeyFile(join(folder, "engineer.key"), {
    vault: port.house.log.origin,
    id: person,
    notes: {},
    seed,
  })
  const statement = { person, key: passkeyName(passkey), kind: "passkey", credential: "AAAA" }
  const caller = await callerOf(port.house, port.people.custodian, { path: "/v1/keys", statement })
  await second(port.house, port.people.privacy, (await proposeMotion(port.house, caller, "add-key")).id)
})
afterAll(async () => {
  await server.close()
  await port.close()
  await rm(folder, { recursive: true, force: true })
})

type Door = (grant: string) => Promise<string>

const byHttp: Door = async grant => {
  const client = clientFor(port.people.engineer, server.url, port.house.log.origin)
  return client
    .send({ method: "POST", path: "/v1/releases", statement: { grant, capture, level: "L2" } })
    .then(
      () => "done",
      (error: { code: string }) => error.code,
    )
}

const byCommand: Door = grant =>
  new Promise(resolve => {
    const key = ["--key", join(folder, "engineer.key"), "--server", server.url, "--json"]
    const out = join(folder, randomBytes(4).toString("hex"))
    const argv = ["draw", "--grant", grant, "--capture", capture, "--out", out, ...key]
    execFile(process.execPath, [program, ...argv], (_, stdout) => {
      const said = JSON.parse(stdout) as { code?: string; failed?: { code: string }[] }
      resolve(said.code ?? said.failed?.[0]?.code ?? "done")
    })
  })

/** As the desk does it: the assertion of a passkey for exactly this request. */
const byDesk: Door = async grant => {
  const statement: Statement = { grant, capture, level: "L2" }
  const body = JSON.stringify(statement)
  const unsigned = {
    ...{ path: "/v1/releases", query: "?", created: Math.floor(Date.now() / 1000) },
    method: "POST" as const,
    nonce: randomBytes(16).toString("base64url"),
    content_sha256: createHash("sha256").update(body).digest("base64"),
  }
  const by = { secret: passkey, origin: web.origin }
  const asked = signedByPasskey(unsigned, by, { vault: port.house.log.origin, statement })
  const headers = {
    ...signatureHeaders(asked, port.house.log.origin, statement),
    "content-type": "application/json",
  }
  const response = await fetch(`${server.url}/v1/releases`, { method: "POST", headers, body })
  return response.ok ? "done" : ((await response.json()) as { code: string }).code
}

const doors = { byHttp, byCommand, byDesk }

async function suspended(role: Role, is: boolean): Promise<void> {
  const { person } = port.people[role]
  const path = `/v1/people/${person}/suspension`
  const caller = await callerOf(port.house, port.people.privacy, { path, statement: { suspended: is } })
  await suspend(port.house, caller, { kind: "person", id: person })
}

describe("teleport#7663: HTTP, command line and desk reach one decision", () => {
  const states: readonly [string, () => Promise<string>][] = [
    ["GRANT_PENDING", () => grantOf(port, { by: ["cor"] })],
    ["GRANT_EXPIRED", () => expired()],
    ["GRANT_REVOKED", () => revoked()],
    [
      "GRANT_HOLDER",
      () => grantOf(port, { terms: { holder: port.people.colleague.person }, requester: "prime" }),
    ],
    ["GRANT_DEVICE", () => grantOf(port, { terms: { device: base64(port.people.cor.signer.publicKey) } })],
    ["GRANT_LEVEL", () => grantOf(port, { terms: { level: "L1" } })],
    ["done", () => grantOf(port)],
  ]
  const revoked = async () => {
    const grant = await grantOf(port)
    await revoke(port, grant)
    return grant
  }
  const expired = async () => {
    const ends_at = new Date(port.house.log.clock() + 700).toISOString()
    const grant = await grantOf(port, { terms: { ends_at } })
    await new Promise(resolve => setTimeout(resolve, 800))
    return grant
  }
  for (const [code, make] of states)
    test(`${code} by each door, and each refusal in the log`, async () => {
      const grant = await make()
      for (const [name, door] of Object.entries(doors)) {
        // A draw plans at the grant's own level, so the command line asks for no more than that.
        const expected = code === "GRANT_LEVEL" && name === "byCommand" ? "done" : code
        const { size } = await port.house.log.head()
        expect(await door(grant), name).toBe(expected)
        if (expected === "done") continue
        const [row] = await port.house.ledger.newestEntries({ kind: "refused", limit: 1 })
        expect(row!.index, name).toBeGreaterThanOrEqual(size)
        expect(parseEntry(row!.bytes), name).toMatchObject({ code, grant })
      }
    })

  test("a suspended person comes by no door, and reads nothing", async () => {
    const grant = await grantOf(port)
    await suspended("engineer", true)
    for (const [name, door] of Object.entries(doors)) expect(await door(grant), name).toBe("PERSON_SUSPENDED")
    const client = clientFor(port.people.engineer, server.url, port.house.log.origin)
    for (const path of ["/v1/grants", `/v1/grants/${grant}`, "/v1/lanes", "/v1/me"])
      await expect(client.json({ method: "GET", path }), path).rejects.toMatchObject({
        code: "PERSON_SUSPENDED",
      })
    await suspended("engineer", false)
  })

  test("the key of an enrolled passkey signs nothing without the assertion that its owner was there", async () => {
    const grant = await grantOf(port)
    const statement: Statement = { grant, capture, level: "L2" }
    const body = JSON.stringify(statement)
    const unsigned = {
      ...{
        path: "/v1/releases",
        query: "?",
        created: Math.floor(Date.now() / 1000),
        method: "POST" as const,
      },
      nonce: randomBytes(16).toString("base64url"),
      content_sha256: createHash("sha256").update(body).digest("base64"),
      key: passkeyName(passkey),
    }
    const message = signatureBase(unsigned, port.house.log.origin, statement)
    const bare = { ...unsigned, signature: base64(p256.sign(message, passkey)), device: null, passkey: null }
    const headers = {
      ...signatureHeaders(bare, port.house.log.origin, statement),
      "content-type": "application/json",
    }
    const response = await fetch(`${server.url}/v1/releases`, { method: "POST", headers, body })
    expect(((await response.json()) as { code: string }).code).toBe("SIGNATURE_INVALID")
    const said = { origin: port.house.log.origin, at_ms: Date.now(), verify: verifyEd25519 }
    const terms_sha256 = "0".repeat(64)
    const revocation = { kind: "grant.revoked", grant, person: port.people.engineer.person } as const
    const of = { ...unsigned, path: `/v1/grants/${grant}/revocation` }
    const base = signatureBase(of, said.origin, { terms_sha256 })
    const asked = { ...of, signature: base64(p256.sign(base, passkey)), device: null, passkey: null }
    expect(isSigned(asked, said.origin, { statement: { terms_sha256 }, verify: verifyEd25519 })).toBe(true)
    expect(isAuthentic({ ...revocation, asked, statement: { terms_sha256 } }, said)).toBe(false)
  })

  test("only custody, the log's judge and its replay ask the decision table", () => {
    const asking = sources()
      .filter(({ path, text }) => !path.endsWith(".test.ts") && /\bdecide\(/.test(text))
      .map(({ path }) => path)
    const allowed = [
      "custody/draw.ts",
      "custody/opening.ts",
      "custody/scope-live.ts",
      "grant/decide.ts",
      "log/judge.ts",
      "log/replay.ts",
    ]
    expect(asking.sort()).toEqual(allowed)
  })
})

describe("what needs no grant", () => {
  test("samples are drawn at once, in the lane's size, and no capture is opened for them", async () => {
    const { size } = await port.house.log.head()
    const out = join(folder, "samples")
    const key = ["--key", join(folder, "engineer.key"), "--server", server.url, "--json"]
    const said = await new Promise<string>(resolve =>
      execFile(
        process.execPath,
        [program, "lane", "sample", port.lane, "--count", "2", "--out", out, ...key],
        (_, stdout) => resolve(stdout),
      ),
    )
    expect(JSON.parse(said)).toMatchObject({ geometry: null, samples: [{ file: "sample-001.jpg" }, {}] })
    const drawn = await sharp(await readFile(join(out, "sample-001.jpg"))).metadata()
    expect([drawn.width, drawn.height]).toEqual([1024, 768])
    expect((await port.house.log.head()).size).toBe(size)
    const picture = new Uint8Array(
      await sharp({ create: { width: 640, height: 400, channels: 3, background: "#456" } })
        .jpeg()
        .toBuffer(),
    )
    const admitted: string[] = []
    for (let i = 0; i < 30; i += 1) admitted.push((await sealAndAdmit(port, { picture })).capture)
    await Promise.all(admitted.map(capture => examine(port.house, capture, { again: false })))
    const client = clientFor(port.people.engineer, server.url, port.house.log.origin)
    const told = await client.json({ method: "GET", path: `/v1/lanes/${port.lane}/geometry` })
    expect(told).toMatchObject({ geometry: { captures: 31, width_px: 640, height_px: 400, plate: null } })
  })

  test("a request is five fields; each answer is tried at once, and asked again with what would pass", async () => {
    const client = clientFor(port.people.engineer, server.url, port.house.log.origin)
    const id = port.people.engineer.person
    const voice = { json: false, quiet: true }
    const context = { client, id, voice, globals: { ...voice, server: server.url } }
    const { size } = await port.house.log.head()
    const given = await withDefaults(
      context,
      { hours: "0-24", starts: "now", ends: "1d", destroy: "30d" },
      "release",
    )
    expect(given).toMatchObject({ contract: port.contract, holder: id })
    const answers = ["repair-reader", "calibrate-reader", "WO 1", "WO-1", "9", "1", "999999", "2", "400d", ""]
    const asked: string[] = []
    const filled = await fillIn(context, given, question => {
      asked.push(question.split(" ")[0]!)
      return Promise.resolve(answers.shift()!)
    })
    const twice = ["Purpose", "Work", "Lanes", "How", "Until"].flatMap(each => [each, each])
    expect(asked).toEqual(twice)
    expect(filled).toMatchObject({ purpose: "calibrate-reader", workOrder: "WO-1", images: "2", ends: "1d" })
    expect(filled.lane).toEqual([port.lane])
    expect((await port.house.log.head()).size).toBe(size)
  })

  test("a grant that nobody moves is listed as stale", async () => {
    const ends_at = new Date(port.house.log.clock() + 20 * 86_400_000).toISOString()
    const waiting = await grantOf(port, { terms: { ends_at }, by: [] })
    const unused = await grantOf(port, { terms: { ends_at } })
    const stale = async (grant: string) =>
      stalenessOf(port.house, (await recordOf(port.house, "grant", grant))!)
    expect([await stale(waiting), await stale(unused)]).toEqual([null, null])
    port.clock.offset_ms += 3 * 86_400_000
    expect([await stale(waiting), await stale(unused)]).toEqual([null, "approved and never used, for 3 days"])
    port.clock.offset_ms += 5 * 86_400_000
    expect(await stale(waiting)).toBe("asked for and not approved, for 8 days")
    port.clock.offset_ms += 30 * 86_400_000
    expect(await stale(waiting)).toBeNull()
  })
})
