import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Fault } from "../fault.ts"
import type { Agent } from "./agent.ts"
import { alarmNames } from "./health.ts"

const loopback = ["127.0.0.1", "::1", "localhost"]
/** Alarms under which readers are not acknowledged. */
const refusing = ["spool_full", "recipients_out"] as const

/** `ok`; `alarmed`: it works, and somebody must look; `refusing`: readers are not acknowledged now. */
export type LaneState = "ok" | "alarmed" | "refusing"

/** All that an agent says of itself on its own machine. Ids and numbers; no plate, name or path. */
export function healthOf(agent: Agent) {
  const { health, spool, recipients, journal, options } = agent
  const now_ms = options.clock()
  const { head } = spool
  const age_s = (time_ms: number | null) => (time_ms === null ? null : Math.round((now_ms - time_ms) / 1000))
  return {
    state: stateOf(agent),
    reader: options.reader.reader,
    lane: options.reader.lane,
    started_at: new Date(health.startedAt_ms).toISOString(),
    sequence: { numbered: spool.numbered, settled: spool.settled },
    gaps: spool.gaps.slice(0, 64),
    spool: {
      files: spool.files,
      bytes: spool.bytes,
      most_files: options.spool.most_files,
      most_bytes: options.spool.most_bytes,
      oldest_s: head === null ? 0 : age_s(head.since_ms),
      refused_files: spool.refused.files,
      refused_bytes: spool.refused.bytes,
    },
    alarms: [...health.alarms].map(([alarm, { since_ms, detail }]) => ({
      alarm,
      since: new Date(since_ms).toISOString(),
      ...detail,
    })),
    counters: health.counters,
    received_s_ago: age_s(health.lastReceived_ms),
    admitted_s_ago: age_s(health.lastAdmitted_ms),
    vault_clock_offset_ms: agent.wire.clockOffset_ms,
    reader_clock_offset_ms: health.readerOffset_ms,
    recipient_days_left: recipients.daysLeft,
    usb_devices: agent.usbDevices,
    untold_events: journal.held.length,
    vault_takes_reports: agent.isHeard,
  }
}

export type LaneHealth = ReturnType<typeof healthOf>

function stateOf({ health, spool }: Agent): LaneState {
  if (spool.stopped !== null || refusing.some(alarm => health.alarms.has(alarm))) return "refusing"
  return health.alarms.size > 0 ? "alarmed" : "ok"
}

/** The same as Prometheus text, without ids: which lane it is says the one who scrapes it. */
export function metricsOf(agent: Agent): string {
  const { spool, alarms, counters, ...rest } = healthOf(agent)
  const gauges: Record<string, number | null> = {
    spool_files: spool.files,
    spool_bytes: spool.bytes,
    spool_most_files: spool.most_files,
    spool_most_bytes: spool.most_bytes,
    spool_oldest_seconds: spool.oldest_s,
    refused_files: spool.refused_files,
    sequence_numbered: rest.sequence.numbered,
    sequence_settled: rest.sequence.settled,
    sequence_gaps: rest.gaps.length,
    received_seconds_ago: rest.received_s_ago,
    admitted_seconds_ago: rest.admitted_s_ago,
    vault_clock_offset_seconds:
      rest.vault_clock_offset_ms === null ? null : rest.vault_clock_offset_ms / 1000,
    recipient_days_left: rest.recipient_days_left,
    usb_devices: rest.usb_devices,
    untold_events: rest.untold_events,
    resident_memory_bytes: process.memoryUsage.rss(),
  }
  const raised = new Set(alarms.map(({ alarm }) => alarm))
  return [
    ...Object.entries(gauges).flatMap(([name, value]) =>
      value === null ? [] : sample(name, "gauge", value),
    ),
    ...Object.entries(counters).flatMap(([name, value]) => sample(`${name}_total`, "counter", value)),
    "# TYPE sallyport_lane_alarm gauge",
    ...alarmNames.map(alarm => `sallyport_lane_alarm{alarm="${alarm}"} ${raised.has(alarm) ? 1 : 0}`),
    "",
  ].join("\n")
}

function sample(name: string, type: "gauge" | "counter", value: number): string[] {
  return [`# TYPE sallyport_lane_${name} ${type}`, `sallyport_lane_${name} ${value}`]
}

/**
 * `GET /health` (503 while readers are not acknowledged, else 200) and `GET /metrics`, on loopback only.
 * @param at  port 0: any free one.
 * @throws Fault PLAIN_HTTP for any other address.
 */
export async function openHealthDoor(
  agent: Agent,
  at: { readonly host: string; readonly port: number },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  if (!loopback.includes(at.host))
    throw new Fault("PLAIN_HTTP", "an agent tells its health on loopback only", {
      next: "--health 127.0.0.1:7301",
    })
  const server = createServer((request, response) => {
    request.resume()
    const path = request.url?.split("?")[0]
    if (request.method !== "GET" || (path !== "/health" && path !== "/metrics")) {
      response.writeHead(404, { "content-type": "text/plain" }).end("GET /health or /metrics\n")
    } else if (path === "/metrics") {
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(metricsOf(agent))
    } else {
      const health = healthOf(agent)
      const headers = { "content-type": "application/json", "cache-control": "no-store" }
      response
        .writeHead(health.state === "refusing" ? 503 : 200, headers)
        .end(`${JSON.stringify(health, null, 2)}\n`)
    }
  })
  server.requestTimeout = 10_000
  server.maxConnections = 32
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(at.port, at.host, resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`, close }
}
