import { p256 } from "@noble/curves/nist.js"
import type { FastifyInstance } from "fastify"
import { createHash, randomBytes } from "node:crypto"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { base64 } from "../bytes.ts"
import { proposeMotion } from "../custody/motions.ts"
import { signatureHeaders } from "../grant/request-headers.ts"
import { signatureBase, type Statement } from "../grant/request.ts"
import { parseEntry } from "../log/kinds.ts"
import { noticeOf } from "../log/notices.ts"
import { callerOf, openTestPort, second, type TestPort } from "../../test/port.ts"
import { buildServer } from "./server.ts"
import { cookies, sealed, unsealed } from "./session.ts"
import { subjectDigest, type Web } from "./web.ts"

const web: Web = {
  origin: "http://localhost:7300",
  cookieKey: new Uint8Array(32).fill(1),
  subjectKey: new Uint8Array(32).fill(2),
  signIn: null,
}
const subject = subjectDigest(web, "https://idp.example", "planted-subject")

let port: TestPort
let app: FastifyInstance
const browser = p256.utils.randomSecretKey()
const publicKey = (secret: Uint8Array) => base64(p256.getPublicKey(secret, true))

beforeAll(async () => {
  port = await openTestPort()
  const standing = { differences: [] }
  app = await buildServer(port.house, { host: "", port: 0, openBundles: false, version: "0", standing, web })
  await setKey("add-key", { kind: "subject", credential: null })
})
afterAll(async () => {
  await app.close()
  await port.close()
})

async function setKey(act: "add-key" | "remove-key", more: Statement): Promise<void> {
  const statement = { person: port.people.cor.person, key: subject, ...more }
  const path = act === "add-key" ? "/v1/keys" : "/v1/key-removals"
  const caller = await callerOf(port.house, port.people.custodian, { path, statement })
  await second(port.house, port.people.privacy, (await proposeMotion(port.house, caller, act)).id)
}

async function cookieFor(key: string, id = "req_1"): Promise<string> {
  const value = { id, person: port.people.cor.person, key, subject }
  const set = await sealed(web, cookies.session, { value, now_ms: port.house.log.clock() })
  return set.slice(0, set.indexOf(";"))
}

interface Asks {
  readonly secret?: Uint8Array
  readonly cookie: string
  readonly method?: "GET" | "POST"
  readonly url?: string
  readonly statement?: Statement
}

async function ask({ secret, cookie, method = "GET", url = "/v1/grants", statement }: Asks) {
  const body = statement === undefined ? null : JSON.stringify(statement)
  const headers: Record<string, string> = { cookie }
  if (body !== null) headers["content-type"] = "application/json"
  if (secret !== undefined) {
    const request = {
      ...{ method, path: url, query: "?", created: Math.floor(port.house.log.clock() / 1000) },
      nonce: randomBytes(16).toString("base64url"),
      content_sha256: body === null ? null : createHash("sha256").update(body).digest("base64"),
      key: publicKey(secret),
    }
    const signature = base64(
      p256.sign(signatureBase(request, port.house.log.origin, statement ?? null), secret),
    )
    const asked = { ...request, signature, device: null, passkey: null }
    Object.assign(headers, signatureHeaders(asked, port.house.log.origin, statement ?? null))
  }
  const response = await app.inject({ method, url, headers, ...(body === null ? {} : { payload: body }) })
  return { status: response.statusCode, ...(response.json() as { code?: string; entry?: number }) }
}

describe("a session", () => {
  test("reads, in the browser that began it", async () => {
    const cookie = await cookieFor(publicKey(browser))
    expect(await ask({ cookie, secret: browser })).toMatchObject({ status: 200 })
    expect(await ask({ cookie, secret: browser, url: "/v1/me" })).toMatchObject({
      person: port.people.cor.person,
      session: true,
    })
  })

  test("reads the log, which says so", async () => {
    const cookie = await cookieFor(publicKey(browser))
    expect(await ask({ cookie, secret: browser, url: "/v1/log/entries" })).toMatchObject({ status: 200 })
    const [row] = await port.house.ledger.newestEntries({ kind: "log.read", limit: 1 })
    expect(parseEntry(row!.bytes)).toMatchObject({ person: port.people.cor.person, asked: null })
  })

  test("does nothing: an approval needs a key of its person's", async () => {
    const cookie = await cookieFor(publicKey(browser))
    const statement = { scope: "vault" }
    const asked = { cookie, secret: browser, method: "POST", url: "/v1/stops", statement } as const
    expect(await ask(asked)).toMatchObject({ status: 403, code: "SESSION_READS" })
  })

  test("a stolen cookie opens nothing, with no key or another one, and is told once", async () => {
    const { size } = await port.house.log.head()
    const cookie = await cookieFor(publicKey(browser), "req_stolen")
    const thief = p256.utils.randomSecretKey()
    const first = await ask({ cookie })
    expect(first).toMatchObject({ status: 401, code: "SESSION_BOUND", entry: size })
    const [row] = await port.house.ledger.entries(size, size + 1)
    expect(noticeOf(parseEntry(row!.bytes)!)?.severity).toBe("alarm")
    expect(await ask({ cookie, secret: thief })).toMatchObject({ code: "SESSION_BOUND" })
    expect((await port.house.log.head()).size).toBe(size + 1)
    expect(await ask({ cookie, secret: browser })).toMatchObject({ status: 200 })
  })

  test("ends in time, with its sign-in, and is nothing that another vault sealed or somebody bent", async () => {
    const cookie = await cookieFor(publicKey(browser))
    const header = cookie
    const now_ms = port.house.log.clock()
    expect(await unsealed(web, cookies.session, { header, now_ms })).not.toBeNull()
    const late_ms = now_ms + 8 * 3_600_000 + 1000
    expect(await unsealed(web, cookies.session, { header, now_ms: late_ms })).toBeNull()
    const other = { ...web, cookieKey: new Uint8Array(32).fill(9) }
    expect(await unsealed(other, cookies.session, { header, now_ms })).toBeNull()
    const bent = `${header.slice(0, -2)}${header.endsWith("A") ? "B" : "A"}${header.slice(-1)}`
    expect(await unsealed(web, cookies.session, { header: bent, now_ms })).toBeNull()
    const renamed = header.replace(cookies.session.name, cookies.signIn.name)
    expect(await unsealed(web, cookies.signIn, { header: renamed, now_ms })).toBeNull()
    await setKey("remove-key", {})
    expect(await ask({ cookie, secret: browser })).toMatchObject({ status: 401, code: "SIGN_IN" })
  })
})
