import { appendFile, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { heldMessage, someSettings } from "../../test/message.ts"
import { certificate, httpReceiver, mailServer, syslogReceiver } from "../../test/receivers.ts"
import type { DestinationKind } from "../log/destinations.ts"
import { ocsfOf } from "./ocsf.ts"
import type { Outcome } from "./parcel.ts"
import type { OutboxSettings, Smtp } from "./settings.ts"
import { syslogFrame } from "./syslog.ts"
import { ways } from "./ways.ts"
import { webhookHeaders, webhookKey } from "./webhook.ts"
import { signerOf } from "../ed25519.ts"

const three = [1, 2, 3].map(nth => heldMessage({ event: "refused.budget", nth }))

function send(
  kind: DestinationKind,
  address: string,
  changed: Partial<OutboxSettings> = {},
  messages = three,
): Promise<Outcome> {
  const settings = { ...someSettings, ...changed }
  const place = { events: [], organization: "", isAgency: true, rung: 0, entry: 0, status: "active" } as const
  const destination = { destination: "dst_1", name: "here", kind, ...place }
  const signal = AbortSignal.timeout(settings.timeout_ms)
  return ways[kind].send(messages, { destination, address, settings, signal })
}

test("a webhook's signature is the specification's: ed25519 over id, time and body", () => {
  const signer = signerOf(Uint8Array.from({ length: 32 }, (_, i) => i))
  const headers = webhookHeaders({ id: "msg_1", timestamp_s: 1_700_000_000, body: "{}" }, signer)
  const expected = signer.sign(new TextEncoder().encode("msg_1.1700000000.{}"))
  expect(headers).toEqual({
    "webhook-id": "msg_1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": `v1a,${Buffer.from(expected).toString("base64")}`,
  })
})

interface Example {
  readonly isGenuine: (of: { headers: object; body: string; key: string; now_s: number }) => boolean
}

test("the receiver's ten lines in examples/ tell a genuine webhook from a bent, an old and another's", async () => {
  const path = new URL("../../examples/verify_webhook.mjs", import.meta.url).href
  const { isGenuine } = (await import(path)) as Example
  const signer = signerOf(Uint8Array.from({ length: 32 }, (_, i) => i))
  const body = three[0]!.body
  const headers = webhookHeaders({ id: three[0]!.id, timestamp_s: 1_700_000_000, body }, signer)
  const good = { headers, body, key: webhookKey(signer), now_s: 1_700_000_100 }
  expect(isGenuine(good)).toBe(true)
  expect(isGenuine({ ...good, body: body.replace("7", "8") })).toBe(false)
  expect(isGenuine({ ...good, headers: { ...headers, "webhook-id": three[1]!.id } })).toBe(false)
  expect(isGenuine({ ...good, headers: { ...headers, "webhook-timestamp": "1700000001" } })).toBe(false)
  expect(isGenuine({ ...good, now_s: 1_700_000_301 })).toBe(false)
  expect(isGenuine({ ...good, key: webhookKey(signerOf(new Uint8Array(32))) })).toBe(false)
})

describe("NDJSON", () => {
  test("goes over HTTP as one batch, with the token that the configuration has", async () => {
    const receiver = await httpReceiver()
    const tokens = { here: "T0KEN" }
    expect(await send("http-json", `${receiver.url}/in`, { tokens })).toEqual({ kind: "taken" })
    const [{ headers, body, method }] = receiver.received as [(typeof receiver.received)[0]]
    expect([method, headers["content-type"], headers.authorization]).toEqual([
      ...["POST", "application/x-ndjson", "Bearer T0KEN"],
    ])
    expect(body).toBe(three.map(each => `${ocsfOf(each, someSettings)}\n`).join(""))
    expect(receiver.received).toHaveLength(1)
    await receiver.close()
  })

  test("is appended to a file of its owner's alone, which may be renamed under it, and a torn line stays by itself", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-outbox-"))
    const path = join(folder, "siem.ndjson")
    expect(await send("file", "siem.ndjson", { folder })).toEqual({ kind: "taken" })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await rename(path, join(folder, "old"))
    await send("file", "siem.ndjson", { folder }, three.slice(0, 1))
    await appendFile(path, '{"torn":')
    await send("file", "siem.ndjson", { folder }, three.slice(1, 2))
    const lines = (await readFile(path, "utf8")).split("\n")
    expect(lines).toEqual([ocsfOf(three[0]!, someSettings), '{"torn":', ocsfOf(three[1]!, someSettings), ""])
    expect((await readFile(join(folder, "old"), "utf8")).trim().split("\n")).toHaveLength(3)
    await rm(folder, { recursive: true })
  })

  test("that cannot be written is a failure, with the reason", async () => {
    const folder = fileURLToPath(import.meta.url)
    expect(await send("file", "x.ndjson", { folder })).toEqual({ kind: "failed", why: "EEXIST" })
  })
})

describe("over plain HTTP", () => {
  test("nothing is sent to what only looks allowed, nor without TLS to the public internet", async () => {
    const lookup = () => Promise.resolve(["93.184.216.34"])
    expect(await send("webhook", "http://hooks.example/", { lookup })).toEqual({
      ...{ kind: "failed", why: "without TLS only a network that outbox_networks allows is spoken to" },
    })
  })

  test("a receiver that is not there is a failure, with the reason", async () => {
    const gone = await httpReceiver()
    await gone.close()
    expect(await send("webhook", gone.url)).toEqual({ kind: "failed", why: "ECONNREFUSED" })
  })
})

const needsTls = certificate === null ? " (skipped: no openssl to make a certificate with)" : ""

describe.skipIf(certificate === null)(`syslog over TLS${needsTls}`, () => {
  test("arrives whole: RFC 5424 messages with their octet counts, an alarm as an alert", async () => {
    const receiver = await syslogReceiver(certificate!)
    const ca = certificate!.cert
    const address = `syslog+tls://localhost:${receiver.port}`
    const lookup = () => Promise.resolve(["127.0.0.1"])
    expect(await send("syslog", address, { ca, lookup })).toEqual({ kind: "taken" })
    expect(receiver.received).toHaveLength(3)
    const text = receiver.received[0]!
    const head = /^<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (.*)$/.exec(text)!
    expect(head.slice(1, 8)).toEqual([
      ...["105", "2026-11-25T03:00:00.000Z", "sallyport.example", "sallyport", "-", "refused.budget", "-"],
    ])
    expect(JSON.parse(head[8]!)).toEqual(JSON.parse(ocsfOf(three[0]!, someSettings)))
    await receiver.close()
  })

  test("is not spoken with one whom no authority of ours vouches for", async () => {
    const receiver = await syslogReceiver(certificate!)
    const address = `syslog+tls://127.0.0.1:${receiver.port}`
    expect(await send("syslog", address)).toMatchObject({ kind: "failed" })
    expect(receiver.received).toEqual([])
    await receiver.close()
  })

  test("the count is of bytes", () => {
    const frame = syslogFrame(three[0]!, someSettings)
    const [count = ""] = frame.split(" ")
    expect(Buffer.byteLength(frame) - count.length - 1).toBe(Number(count))
  })
})

describe("mail", () => {
  const smtp = (port: number, changed: Partial<Smtp> = {}): Smtp => ({
    ...{ host: "127.0.0.1", port, tls: "offered", from: "vault@agency.example", user: null, password: null },
    ...changed,
  })

  test("is plain text with ids, to one address, with the message's id in every attempt", async () => {
    const server = await mailServer(null)
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect(
        await send("email", "soc@agency.example", { smtp: smtp(server.port) }, three.slice(0, 1)),
      ).toEqual({ kind: "taken" })
    const [first, second] = server.received
    expect(first).toMatchObject({ from: "vault@agency.example", to: ["soc@agency.example"] })
    const idOf = (text: string) => /^Message-ID: (.*)\r$/m.exec(text)?.[1]
    expect(idOf(first!.text)).toBe(`<${three[0]!.id}@sallyport.example>`)
    expect(idOf(second!.text)).toBe(idOf(first!.text))
    expect(first!.text).toMatch(/^Subject: \[alarm\] refused.budget at sallyport.example\/test\r$/m)
    expect(first!.text).toMatch(/^Content-Type: text\/plain/m)
    expect(first!.text).toContain("Somebody asked for more images than a budget has left.")
    expect(first!.text).toContain("sallyport log entry 7")
    await server.close()
  })

  test("without a server in the configuration it fails, and says so", async () => {
    expect(await send("email", "soc@agency.example")).toEqual({
      ...{ kind: "failed", why: "config.json names no smtp server" },
    })
  })

  test.skipIf(certificate === null)(
    `uses the TLS that is offered, and then the password${needsTls}`,
    async () => {
      const server = await mailServer(certificate)
      const ca = certificate!.cert
      const named = { host: "localhost", user: "vault", password: "s3cret" }
      const given = smtp(server.port, named)
      expect(await send("email", "soc@agency.example", { smtp: given, ca }, three.slice(0, 1))).toEqual({
        kind: "taken",
      })
      expect(server.received).toMatchObject([{ isEncrypted: true, user: "vault" }])
      const wrong = smtp(server.port, { ...named, password: "other" })
      const refused = await send("email", "soc@agency.example", { smtp: wrong, ca }, three.slice(0, 1))
      expect(refused).toEqual({ kind: "failed", why: "the mail server answered 535" })
      expect(await send("email", "soc@agency.example", { smtp: given }, three.slice(0, 1))).toMatchObject({
        kind: "failed",
      })
      await server.close()
    },
  )

  test("that must be encrypted is not sent where no TLS is offered", async () => {
    const server = await mailServer(null)
    const strict = smtp(server.port, { tls: "starttls" })
    expect(await send("email", "soc@agency.example", { smtp: strict }, three.slice(0, 1))).toMatchObject({
      kind: "failed",
    })
    expect(server.received).toEqual([])
    await server.close()
  })
})
