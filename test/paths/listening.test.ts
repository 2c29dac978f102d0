import { once } from "node:events"
import { connect } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Client } from "../../src/cli/client.ts"
import { raise } from "../../src/custody/alerts.ts"
import { openMetrics, type Metrics } from "../../src/http/metrics.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { webhookKey } from "../../src/outbox/webhook.ts"
import { startPump } from "../../src/outbox/pump.ts"
import { addDestination, settingsOf, suspendPerson } from "../destinations.ts"
import { openTestPort, type Role, type TestPort } from "../port.ts"
import { httpReceiver, until } from "../receivers.ts"

let port: TestPort
let server: Server
let metrics: Metrics

beforeAll(async () => {
  port = await openTestPort()
  metrics = await openMetrics(port.house, { version: "0.0.0", port: 0 })
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0", metrics },
    standing: { differences: [] },
  })
})
afterAll(async () => {
  await server.close()
  await metrics.close()
  await port.close()
})

const as = (role: Role) =>
  new Client({ server: server.url, vault: port.house.log.origin, signer: port.people[role].signer })
const usb = [{ what: "usb_connected" as const, count: 1, detail: {} }]
const alarm = () => raise(port.house, { reader: port.reader.reader, signals: usb })

interface Event {
  readonly id: number
  readonly alert: { readonly alert: string; readonly count: number; readonly closed?: object }
}

function eventsOf(text: string): Event[] {
  return [...text.matchAll(/^id: (\d+)\nevent: alert\ndata: (.*)$/gm)].map(([, id, data]) => ({
    id: Number(id),
    alert: JSON.parse(data!) as Event["alert"],
  }))
}

async function caughtUp(role: Role, last?: number): Promise<string> {
  const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": String(last) }
  return as(role).text({ method: "GET", path: "/v1/alerts/stream?follow=no", headers })
}

describe("the stream of alerts", () => {
  test("tells who listens of each change, as it happens", async () => {
    const response = await as("analyst").send({ method: "GET", path: "/v1/alerts/stream" })
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    const reader = response.body!.getReader()
    let text = ""
    const reading = (async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        text += Buffer.from(value).toString()
      }
    })().catch(() => undefined)
    await until(() => text.includes(": alerts"), "the greeting")
    expect(await metrics.read()).toContain("sallyport_sse_clients 1")
    const raised = (await alarm())!
    await until(() => eventsOf(text).length === 1, "the alert")
    expect(eventsOf(text)[0]).toMatchObject({ id: raised.index, alert: { what: "usb_connected", count: 1 } })
    await reader.cancel()
    await reading
    await until(async () => (await metrics.read()).includes("sallyport_sse_clients 0"), "the end")
  })

  test("goes on after the last event that was seen, and misses nothing between", async () => {
    const { size } = await port.house.log.head()
    const id = (await port.house.ledger.records("alert", { limit: 10 })).at(-1)!.id
    const statement = { outcome: "fixed" }
    const names = { reason: "a technician's stick, which was expected" }
    const path = `/v1/alerts/${id}/closing`
    const { entry } = await as("cor").json<{ entry: number }>({ method: "POST", path, statement, names })
    await suspendPerson(port, "colleague", true)
    const next = (await alarm())!
    const events = eventsOf(await caughtUp("analyst", size - 1))
    expect(events.map(event => event.id)).toEqual([entry, next.index])
    expect(events[0]!.alert).toMatchObject({ alert: id, closed: { outcome: "fixed" } })
    expect(eventsOf(await caughtUp("analyst", entry)).map(event => event.id)).toEqual([next.index])
    expect(eventsOf(await caughtUp("analyst"))).toEqual([])
    expect(eventsOf(await caughtUp("analyst", 999_999_999))).toEqual([])
    await suspendPerson(port, "colleague", false)
  })

  test("is for those who may list alerts, and for nothing that is no id", async () => {
    await expect(caughtUp("engineer")).rejects.toMatchObject({ code: "OFFICE" })
    await expect(caughtUp("prime")).rejects.toMatchObject({ code: "OFFICE" })
    const headers = { "last-event-id": "x" }
    const path = "/v1/alerts/stream?follow=no"
    await expect(as("analyst").text({ method: "GET", path, headers })).rejects.toMatchObject({
      code: "INVALID",
    })
  })

  test("takes 32 listeners, and the next one is told to come later", async () => {
    const path = "/v1/alerts/stream"
    const all = await Promise.all(
      Array.from({ length: 32 }, () => as("auditor").send({ method: "GET", path })),
    )
    await expect(as("analyst").send({ method: "GET", path })).rejects.toMatchObject({ code: "BUSY" })
    for (const response of all) await response.body!.cancel()
    await until(async () => (await metrics.read()).includes("sallyport_sse_clients 0"), "the end")
  })
})

describe("what Prometheus reads", () => {
  test("counts deliveries and failures by the destination's name, and has no id in it", async () => {
    const [up, down] = [await httpReceiver(), await httpReceiver()]
    down.answer = 500
    const events = ["person.suspended"] as const
    const hook = await addDestination(port, { name: "up", kind: "webhook", events, address: up.url })
    await addDestination(port, { name: "down", kind: "webhook", events, address: down.url })
    const settings = settingsOf(port, ["up", "down"], { retryFirst_ms: 60_000, retryMost_ms: 60_000 })
    const pump = startPump(port.house, { settings, told: () => undefined, attempted: metrics.attempted })
    await suspendPerson(port, "colleague", true)
    await until(() => up.received.length === 1 && down.received.length === 1, "both")
    await pump.close()
    const text = await (await fetch(metrics.url!)).text()
    expect(text).toContain('sallyport_alert_delivery_seconds_count{destination="up"} 1')
    expect(text).toContain('sallyport_alert_delivery_failures_total{destination="down"} 1')
    expect(text).toContain('sallyport_alert_delivery_waiting{destination="down"} 1')
    expect(text).toContain('sallyport_webhook_deliveries_total{outcome="delivered"} 1')
    expect(text).toContain("sallyport_alerts_open 1")
    expect(text).toMatch(/^sallyport_log_size_entries \d+$/m)
    expect(text).not.toMatch(/[a-z]{3}_[0-9A-Z]{26}/)
    expect((await fetch(metrics.url!.replace("/metrics", "/"))).status).toBe(404)
    const shown = await fetch(`${server.url}/v1/webhook-keys/${hook}`)
    const key = webhookKey(port.house.keys.root.webhookSigner(hook))
    expect(await shown.json()).toEqual({ destination: hook, key })
    await Promise.all([up.close(), down.close()])
  })
})

test("who may read the log sees how each destination stands; a vendor sees none of it", async () => {
  const { data } = await as("auditor").json<{ data: { name: string; last_failure: string | null }[] }>({
    ...{ method: "GET", path: "/v1/destinations" },
  })
  expect(data.map(({ name, last_failure }) => [name, last_failure])).toEqual([
    ["up", null],
    ["down", "it answered 500"],
  ])
  const refused = as("engineer").json({ method: "GET", path: "/v1/destinations" })
  await expect(refused).rejects.toMatchObject({ code: "OFFICE" })
})

test("a connection that never says what it wants does not hold up a server that closes", async () => {
  const closing = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0", drain_ms: 200 },
    standing: { differences: [] },
  })
  const socket = connect(Number(new URL(closing.url).port), "127.0.0.1")
  await once(socket, "connect")
  socket.write("GET /v1/health HTTP/1.1\r\nhost: x\r\n")
  const ended = once(socket, "close")
  socket.resume()
  // It is taken in before the server closes.
  await fetch(new URL("/openapi.json", closing.url)).then(response => response.text())
  await closing.close()
  await ended
})
