import type { FastifyInstance } from "fastify"
import { createHash, randomBytes } from "node:crypto"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { base64 } from "../bytes.ts"
import { Floods } from "../custody/floods.ts"
import { newSeed, signerOf } from "../ed25519.ts"
import { signatureBase, statementDigest, type Statement } from "../grant/request.ts"
import { grantOf, openTestPort, sealShot, takeIn, type Actor, type TestPort } from "../../test/port.ts"
import { buildServer, openServer, routesOf } from "./server.ts"
import { signatureHeaders } from "../grant/request-headers.ts"

let port: TestPort
let app: FastifyInstance
const options = {
  host: "127.0.0.1",
  port: 0,
  openBundles: false,
  standing: { differences: [] },
  version: "0.0.0",
}
const plates = [{ text: "SP7X042", box: { x_px: 60, y_px: 50, width_px: 60, height_px: 20 } }]
let picture: Uint8Array

beforeAll(async () => {
  port = await openTestPort()
  app = await buildServer(port.house, options)
  picture = new Uint8Array(
    await sharp({ create: { width: 200, height: 150, channels: 3, background: "#654" } })
      .jpeg()
      .toBuffer(),
  )
})
afterAll(async () => {
  await app.close()
  await port.close()
})

interface Ask {
  readonly method?: "GET" | "POST"
  readonly url: string
  readonly statement?: Statement
  readonly created_s?: number
  readonly vault?: string
  readonly bend?: (headers: Record<string, string>) => Record<string, string>
  readonly body?: string
}

/** A request signed by an actor, with whatever is bent after signing. */
async function ask(actor: Pick<Actor, "signer">, of: Ask) {
  const { method = "GET", url, statement = null, vault = port.house.log.origin } = of
  const body = statement === null ? null : JSON.stringify(statement)
  const at = url.indexOf("?")
  const unsigned = {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? "?" : url.slice(at),
    created: of.created_s ?? Math.floor(port.house.log.clock() / 1000),
    nonce: randomBytes(16).toString("base64url"),
    content_sha256: body === null ? null : createHash("sha256").update(body).digest("base64"),
    key: base64(actor.signer.publicKey),
  }
  const signature = base64(actor.signer.sign(signatureBase(unsigned, vault, statement)))
  const headers = {
    ...signatureHeaders({ ...unsigned, signature, device: null, passkey: null }, vault, statement),
    ...(body === null ? {} : { "content-type": "application/json" }),
  }
  const sent = of.body ?? body
  return app.inject({
    method,
    url,
    headers: of.bend?.(headers) ?? headers,
    ...(sent === null ? {} : { payload: sent }),
  })
}

const door = () => ({
  house: port.house,
  floods: new Floods(port.house, { perSecond: 1, burst: 1 }),
  web: null,
})
const codeOf = (response: { json: () => unknown }) => (response.json() as { code?: string }).code

describe("the census of routes: a new one must be entered here, and none but two may carry an image", () => {
  const census: Readonly<Record<string, "image" | "no image">> = Object.fromEntries(
    [
      ...["orgs", "contracts", "people", "ports", "lanes", "readers"].flatMap(name => [
        `POST /v1/${name}`,
        `GET /v1/${name}`,
        `GET /v1/${name}/:id`,
      ]),
      ...["people", "orgs"].map(name => `POST /v1/${name}/:id/suspension`),
      ..."GET /v1/recipients,GET /v1/recipients/draft,POST /v1/recipients,POST /v1/accountings,POST /v1/captures,GET /v1/captures,GET /v1/captures/:id".split(
        ",",
      ),
      ..."POST /v1/policy,GET /v1/policy,POST /v1/resumptions,POST /v1/keys,POST /v1/key-removals,POST /v1/office-changes,POST /v1/stops,GET /v1/stops,GET /v1/motions,GET /v1/motions/:id,POST /v1/motions/:id/second,POST /v1/contracts/:id/attestations,POST /v1/grants/trial,GET /v1/grants/:id/preview,GET /v1/grants/:id/releases,POST /v1/grants/:id/edits".split(
        ",",
      ),
      ..."GET /v1/capture-counts,POST /v1/grants,GET /v1/grants,GET /v1/grants/:id,POST /v1/grants/:id/approvals".split(
        ",",
      ),
      ..."POST /v1/grants/:id/revocation,POST /v1/draws,POST /v1/releases,POST /v1/reveals".split(","),
      ..."GET /log/checkpoint,GET /log/head,GET /log/policy,GET /log/tile/*,GET /v1/log/entries,GET /v1/log/entries/:index,GET /v1/log/fsck,POST /v1/openings/destruction".split(
        ",",
      ),
      ..."POST /v1/sessions,GET /v1/sessions/callback,POST /v1/sessions/end,GET /v1/me".split(","),
      ..."POST /v1/passkeys/options,POST /v1/passkeys,GET /desk,GET /desk.js".split(","),
      ..."GET /v1/me/contracts,GET /v1/lanes/:id/geometry,GET /v1/grants/:id/history".split(","),
      ..."POST /v1/break-glass,POST /v1/looks,POST /v1/boxes,POST /v1/grants/:id/review,GET /v1/notices".split(
        ",",
      ),
      ..."POST /v1/lane-reports,GET /v1/lanes/health,GET /v1/alerts,GET /v1/alerts/:id,POST /v1/alerts/:id/acknowledgement".split(
        ",",
      ),
      ..."POST /v1/traces,POST /v1/traces/:id/files,POST /v1/traces/:id/closing,GET /v1/traces,GET /v1/traces/:id".split(
        ",",
      ),
      ..."GET /v1/alerts/stream,POST /v1/alerts/:id/closing,POST /v1/notices/:entry/acknowledgement,GET /v1/webhook-keys/:id".split(
        ",",
      ),
      ..."POST /v1/destinations,GET /v1/destinations,GET /v1/destinations/:id,POST /v1/destinations/:id/test,POST /v1/destination-removals,GET /v1/messages/:id,POST /v1/messages/:id/resending".split(
        ",",
      ),
      ..."POST /v1/incidents/:id/statements,GET /v1/incidents/:id/statement,GET /v1/incidents/:id/letters,GET /v1/notice-codes/:code,GET /notice,POST /v1/incidents,POST /v1/breach-reports,GET /v1/incidents,GET /v1/incidents/:id,GET /v1/incidents/:id/scope,GET /v1/incidents/:id/clocks,GET /v1/clock-packs".split(
        ",",
      ),
      ...["amendments", "scopes", "clocks", "acknowledgements", "sign-offs", "closing"].map(
        path => `POST /v1/incidents/:id/${path}`,
      ),
      ..."POST /v1/incidents/:id/linkages,POST /v1/linkages/:id/answers,POST /v1/linkages/:id/estimates,GET /v1/linkages/:id,GET /v1/linkages/:id/plan,GET /v1/linkages/:id/pairs".split(
        ",",
      ),
      "POST /v1/statement-signings",
      ..."GET /v1/watch/models,POST /v1/watch/models,POST /v1/watch/backtests,GET /v1/watch/backtests/:id,POST /v1/watch/adoptions,GET /v1/watch/rules,GET /v1/watch/mutes,POST /v1/watch/mutes,POST /v1/watch/mutes/:id/ending".split(
        ",",
      ),
      ..."GET /v1/watch,GET /v1/watch/:id,POST /v1/watch/answers,POST /v1/person-liftings,POST /v1/org-liftings".split(
        ",",
      ),
      ..."POST /v1/canary-plans,GET /v1/canaries,GET /v1/canary-touches".split(","),
      ..."GET /v1/log/status,GET /healthz,GET /readyz,GET /v1/now,GET /".split(","),
    ].map(route => [
      route,
      route === "POST /v1/releases" || route === "POST /v1/reveals" ? "image" : "no image",
    ]),
  )
  test("every route is in the census", () => {
    expect(
      routesOf(door(), options)
        .map(route => `${route.method} ${route.url}`)
        .sort(),
    ).toEqual(Object.keys(census).sort())
  })
  test("no route of the census that carries no image answers with one, whoever asks", async () => {
    const { capture } = await takeIn(port, {
      picture,
      event: { v: 1, source: "index", file: null, plates, faces: [] },
    })
    for (const route of Object.keys(census).filter(
      name => name.startsWith("GET") && census[name] === "no image",
    )) {
      const url = route
        .slice(4)
        .replace(":id", capture)
        .replace(":index", "3")
        .replace("*", "0/000")
        .replace("/stream", "/stream?follow=no")
      const { headers, rawPayload } = await ask(port.people.custodian, { url })
      expect(String(headers["content-type"]), url).not.toMatch(/^image|multipart/)
      for (const magic of ["ffd8ff", "89504e470d0a"])
        expect(rawPayload.toString("hex").includes(magic), url).toBe(false)
    }
  })
  test("all of them are in the OpenAPI 3.1 document", async () => {
    const { openapi, paths } = (await app.inject("/openapi.json")).json() as {
      openapi: string
      paths: Record<string, Record<string, unknown>>
    }
    expect(openapi).toBe("3.1.0")
    for (const route of routesOf(door(), options)) {
      const path = route.url.replace(/:(\w+)/g, "{$1}").replace("*", "{*}")
      expect(Object.keys(paths[path] ?? paths["/log/tile/{wildcard}"] ?? {}), route.url).toContain(
        route.method.toLowerCase(),
      )
    }
  })
})

describe("who is asking", () => {
  const url = "/v1/captures"
  const custodian = () => port.people.custodian
  test("an enrolled key, signed for this vault now, is let in", async () =>
    expect((await ask(custodian(), { url })).statusCode).toBe(200))
  const cases: [string, string, (headers: Record<string, string>) => Record<string, string>][] = [
    ["no signature", "SIGNATURE_MISSING", () => ({})],
    [
      "a bent signature",
      "SIGNATURE_INVALID",
      h => ({ ...h, signature: `sig=:${base64(new Uint8Array(64))}:` }),
    ],
    [
      "another order of parts",
      "SIGNATURE_INVALID",
      h => ({
        ...h,
        "signature-input": h["signature-input"]!.replace('"@method" "@path"', '"@path" "@method"'),
      }),
    ],
    [
      "a part left out",
      "SIGNATURE_INVALID",
      h => ({ ...h, "signature-input": h["signature-input"]!.replace('"@query" ', "") }),
    ],
    [
      "a second label",
      "SIGNATURE_INVALID",
      h => ({ ...h, "signature-input": `${h["signature-input"]}, b=()` }),
    ],
    [
      "another vault's header",
      "SIGNATURE_INVALID",
      h => ({ ...h, "sallyport-vault": "sallyport.example/other" }),
    ],
    [
      "another nonce",
      "SIGNATURE_INVALID",
      h => ({
        ...h,
        "signature-input": h["signature-input"]!.replace(/nonce="[^"]+"/, 'nonce="aaaaaaaaaaaaaaaaaaaaaa"'),
      }),
    ],
  ]
  for (const [why, code, bend] of cases)
    test(`${why}: ${code}`, async () => expect(codeOf(await ask(custodian(), { url, bend }))).toBe(code))
  test("signed for another vault: SIGNATURE_INVALID", async () => {
    const response = await ask(custodian(), { url, vault: "sallyport.example/other" })
    expect(codeOf(response)).toBe("SIGNATURE_INVALID")
  })
  test("signed six minutes ago, or ahead: SIGNATURE_STALE", async () => {
    const now_s = Math.floor(port.house.log.clock() / 1000)
    for (const created_s of [now_s - 360, now_s + 360])
      expect(codeOf(await ask(custodian(), { url, created_s }))).toBe("SIGNATURE_STALE")
  })
  test("the same request twice: REPLAY", async () => {
    let kept: Record<string, string> = {}
    await ask(custodian(), { url, bend: headers => (kept = headers) })
    expect(codeOf(await app.inject({ url, headers: kept }))).toBe("REPLAY")
  })
  test("a key that nobody enrolled: KEY_UNKNOWN", async () =>
    expect(codeOf(await ask({ signer: signerOf(newSeed()) }, { url }))).toBe("KEY_UNKNOWN"))
  test("a vendor may not list captures: OFFICE, and the refusal is in the log", async () => {
    const response = await ask(port.people.engineer, { url })
    const { code, entry } = response.json() as { code: string; entry: number }
    expect(code).toBe("OFFICE")
    const [row] = await port.house.log.entries(entry, entry + 1)
    expect(Buffer.from(row!.bytes).toString()).toContain('"kind":"refused"')
  })
})

describe("bad input is refused clearly, and nothing is half-written", () => {
  const lane = { port: "prt_01JDXXXXXXXXXXXXXXXXXXXXXX", name: "x" }
  const post = (statement: Statement, more: Partial<Ask> = {}) =>
    ask(port.people.custodian, { method: "POST", url: "/v1/lanes", statement, ...more })
  test("an unknown port: NOT_FOUND, logged", async () =>
    expect((await post(lane)).json()).toMatchObject({
      code: "NOT_FOUND",
      entry: expect.any(Number) as number,
    }))
  test("an unknown field, a missing one, a wrong type, 1 MB of text: INVALID or TOO_LARGE", async () => {
    expect(codeOf(await post({ ...lane, extra: 1 }))).toBe("INVALID")
    expect(codeOf(await post({ port: lane.port }))).toBe("INVALID")
    expect(codeOf(await post({ ...lane, name: 7 }))).toBe("INVALID")
    expect(codeOf(await post({ ...lane, name: "x".repeat(5000) }))).toBe("INVALID")
    expect(codeOf(await post({ ...lane, name: "x".repeat(1_000_000) }))).toBe("TOO_LARGE")
    expect(codeOf(await post({ ...lane, name: "a\u0000b" }))).toBe("INVALID")
    expect(codeOf(await post({ ...lane, port: "../../etc/passwd" }))).toBe("INVALID")
  })
  test("another body than was signed: SIGNATURE_INVALID", async () => {
    expect(codeOf(await post(lane, { body: JSON.stringify({ ...lane, name: "y" }) }))).toBe(
      "SIGNATURE_INVALID",
    )
  })
  test("no JSON, no UTF-8, another type: INVALID, MEDIA_TYPE", async () => {
    const headers = { "content-type": "application/json" }
    expect(codeOf(await app.inject({ method: "POST", url: "/v1/lanes", headers, payload: "{" }))).toBe(
      "INVALID",
    )
    expect(
      codeOf(
        await app.inject({
          method: "POST",
          url: "/v1/lanes",
          headers,
          payload: Buffer.from([0x22, 0xff, 0x22]),
        }),
      ),
    ).toBe("INVALID")
    expect(
      codeOf(
        await app.inject({
          method: "POST",
          url: "/v1/lanes",
          headers: { "content-type": "text/xml" },
          payload: "<a/>",
        }),
      ),
    ).toBe("MEDIA_TYPE")
  })
  test("paths: .., %2e%2e, unknown ones and unknown queries lead nowhere", async () => {
    for (const url of [
      "/log/tile/../../config.json",
      "/log/tile/%2e%2e/%2e%2e/keys",
      "/log/tile/0/000.p/999",
      "/nothing",
      "/v1/captures/%2e%2e",
    ]) {
      expect([404, 400, 401]).toContain((await app.inject(url)).statusCode)
    }
    expect(codeOf(await ask(port.people.custodian, { url: "/v1/captures?sql=1" }))).toBe("INVALID")
    expect(codeOf(await ask(port.people.custodian, { url: "/v1/captures?limit=9999" }))).toBe("INVALID")
  })
  test("an empty, a foreign and an oversize capture", async () => {
    const headers = { "content-type": "application/vnd.sallyport.capture" }
    const send = (payload: Buffer) => app.inject({ method: "POST", url: "/v1/captures", headers, payload })
    expect(codeOf(await send(Buffer.from("age-encryption.org/v1\n-> scrypt x 18\n")))).toBe("SEAL_FORMAT")
    expect(codeOf(await send(Buffer.alloc(35 * 1024 * 1024)))).toBe("TOO_LARGE")
    expect(["SEAL_FORMAT", "MEDIA_TYPE", "INVALID"]).toContain(codeOf(await send(Buffer.alloc(0))))
  })
  test("a draw without its key is INVALID; every refusal is a problem document", async () => {
    const grant = await grantOf(port)
    const response = await ask(port.people.engineer, {
      method: "POST",
      url: "/v1/draws",
      statement: { grant, count: 1, captures: null },
    })
    expect(response.headers["content-type"]).toContain("application/problem+json")
    expect(response.json()).toMatchObject({
      type: "https://sallyport.example/problems/invalid",
      status: 400,
      code: "INVALID",
      request_id: expect.stringMatching(/^req_/) as string,
    })
  })
})

test("a release over HTTP is one multipart answer with the image and its receipt", async () => {
  const { capture } = await takeIn(port, {
    picture,
    event: { v: 1, source: "index", file: null, plates, faces: [] },
  })
  const grant = await grantOf(port)
  const response = await ask(port.people.engineer, {
    method: "POST",
    url: "/v1/releases",
    statement: { grant, capture, level: "L2" },
  })
  expect(response.statusCode).toBe(201)
  expect(response.headers["cache-control"]).toBe("no-store")
  const parts = await new Response(new Uint8Array(response.rawPayload), {
    headers: { "content-type": String(response.headers["content-type"]) },
  }).formData()
  expect((parts.get("image") as Blob).type).toBe("image/png")
  expect(await (parts.get("receipt") as Blob).text()).toMatch(/^c2sp.org\/tlog-proof@v1\n/)
})

test("a case asks for a cas_ id: a vendor's grant is no case", async () => {
  const statement = {
    grant: await grantOf(port),
    capture: "cap_01JDXXXXXXXXXXXXXXXXXXXXXX",
    level: "L2",
    reason_commitment: statementDigest({}),
  }
  expect(codeOf(await ask(port.people.analyst, { method: "POST", url: "/v1/reveals", statement }))).toBe(
    "INVALID",
  )
})

test("while ledger and log differ nothing leaves, and readiness says so", async () => {
  const differing = await buildServer(port.house, {
    ...options,
    standing: { differences: [{ at: "counter x", why: "planted" }] },
  })
  expect((await differing.inject("/readyz")).statusCode).toBe(503)
  await differing.close()
  expect((await app.inject("/readyz")).statusCode).toBe(200)
})

test("without TLS only loopback is listened on", async () => {
  await expect(openServer(port.house, { ...options, host: "0.0.0.0" })).rejects.toMatchObject({
    code: "PLAIN_HTTP",
  })
})

test("the checkpoint, the tiles and the policy are public; entry bundles need sign-in unless the vault opens them", async () => {
  expect((await app.inject("/log/checkpoint")).body).toMatch(/^sallyport\.example\/test\n\d+\n/)
  expect((await app.inject("/log/tile/0/000.p/5")).rawPayload).toHaveLength(160)
  expect((await app.inject("/log/policy")).body).toContain("quorum none")
  expect(codeOf(await app.inject("/log/tile/entries/000.p/5"))).toBe("SIGNATURE_MISSING")
  expect((await ask(port.people.auditor, { url: "/log/tile/entries/000.p/5" })).statusCode).toBe(200)
})

test("the page shows totals and the head, loads nothing, and runs no script", async () => {
  const { body, headers } = await app.inject("/")
  expect(headers["content-security-policy"]).toContain("default-src 'none'")
  expect(body).toContain("captures sealed in")
  expect(body).not.toMatch(/<script|src=|href=/)
  await sealShot(port, { picture })
})
