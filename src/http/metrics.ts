import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Counter, Gauge, Histogram, Registry } from "prom-client"
import { recordOf } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { incidentFigures, type IncidentFigures } from "../custody/incident-figures.ts"
import { evaluateRules, ruleNames } from "../custody/rules.ts"
import { names } from "../log/state.ts"

/** What one attempt to tell a destination came to. */
interface Attempted {
  readonly destination: { readonly name: string; readonly kind: string }
  readonly outcome: "delivered" | "failed" | "abandoned"
  readonly waited_ms: number
}

export interface Metrics {
  /** The text that Prometheus reads. */
  read(): Promise<string>
  readonly attempted: (of: Attempted) => void
  readonly listening: (count: number) => void
  /** A scope was counted, in that time. */
  readonly scoped: (took_ms: number) => void
  /** Evaluates every rule over what came since the last time; done each minute where anybody can read it. */
  evaluate(): Promise<void>
  /** Where `/metrics` is answered, or `null`. */
  readonly url: string | null
  close(): Promise<void>
}

/**
 * Numbers for Prometheus, on a port of their own on loopback. No label is an id: a destination's is the name that two people
 * gave it, of which there are at most 64.
 * @param port  0: any free one; `null`: nothing listens.
 */
export async function openMetrics(
  house: House,
  { version, port }: { readonly version: string; readonly port: number | null },
): Promise<Metrics> {
  const registry = new Registry()
  stateGauges(house, registry, version)
  const scoped = incidentGauges(house, registry)
  const counted = deliveryMetrics(registry)
  const evaluate = ruleEvaluations(house, registry, (await house.log.head()).size)
  const read = () => registry.metrics()
  const listener = port === null ? null : await listen(read, port)
  const timer = listener === null ? null : setInterval(() => void evaluate(), 60_000).unref()
  return {
    ...{ read, ...counted, scoped, evaluate },
    url: listener?.url ?? null,
    close: async () => {
      if (timer !== null) clearInterval(timer)
      await listener?.close()
    },
  }
}

/** @returns what hears of each scope. */
function incidentGauges(house: House, registry: Registry): Metrics["scoped"] {
  let reading: Promise<IncidentFigures> | null = null
  // One reading for all that are collected at once.
  const figures = () => (reading ??= incidentFigures(house).finally(() => (reading = null)))
  const registers = [registry]
  new Gauge({
    ...{ name: "sallyport_incidents_open", help: "incidents that are not closed", registers },
    async collect() {
      this.set((await figures()).open)
    },
  })
  new Gauge({
    name: "sallyport_incident_clocks",
    help: "started clocks of open incidents: running, met by every receiver, or due and not met",
    ...{ labelNames: ["state"], registers },
    async collect() {
      for (const [state, count] of Object.entries((await figures()).clocks)) this.set({ state }, count)
    },
  })
  new Gauge({
    name: "sallyport_incident_scope_age_seconds",
    help: "since that open incident was counted whose counts are oldest; -1 where none was",
    registers,
    async collect() {
      const { scoped_ms } = await figures()
      this.set(scoped_ms === null ? -1 : Math.max(0, house.log.clock() - scoped_ms) / 1000)
    },
  })
  const took = new Gauge({
    name: "sallyport_incident_scope_seconds",
    help: "how long the last scope took that this server counted; 0 before",
    registers,
  })
  return took_ms => took.set(took_ms / 1000)
}

/** @param from  the entry that the first evaluation begins with. */
function ruleEvaluations(house: House, registry: Registry, from: number): Metrics["evaluate"] {
  const evaluations = new Counter({
    name: "sallyport_rule_evaluations_total",
    help: "each minute, of each rule: fired, quiet, no data, or error where it could not be said",
    ...{ labelNames: ["rule", "result"], registers: [registry] },
  })
  let turn = Promise.resolve()
  let next = from
  const evaluate = async () => {
    try {
      const evaluated = await evaluateRules(house, next)
      next = evaluated.next
      for (const { rule, standing } of evaluated.standings)
        evaluations.inc({ rule, result: standing.replace(" ", "_") })
    } catch {
      for (const rule of ruleNames) evaluations.inc({ rule, result: "error" })
    }
  }
  return () => (turn = turn.then(evaluate))
}

/** Read off the ledger when somebody asks. */
function stateGauges(house: House, registry: Registry, version: string): void {
  const { ledger, log } = house
  const gauge = (name: string, help: string, read: () => Promise<number> | number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read())
      },
    })
  gauge("sallyport_alerts_open", "alerts that nobody has taken", () => ledger.counter(names.openAlerts))
  gauge("sallyport_log_size_entries", "entries of the log", async () => (await log.head()).size)
  gauge("sallyport_log_stopped", "1 once the log or the vault has stopped for good", () =>
    log.stopped === null && house.vault.gate.stopped === null ? 0 : 1,
  )
  gauge("sallyport_captures_unexamined", "captures that wait for their examination", () =>
    ledger.counter(names.unexamined),
  )
  gauge("sallyport_images_opened_total", "images that people were permitted", () =>
    ledger.counter(names.opened),
  )
  if (log.witnesses !== null)
    gauge("sallyport_witness_cosignature_age_seconds", "since the quorum saw the log; -1 before", () => {
      const seen_ms = log.witnesses?.newest?.stated_ms
      return seen_ms === undefined ? -1 : Math.max(0, log.clock() - seen_ms) / 1000
    })
  backlogGauge(house, registry)
  const info = { name: "sallyport_build_info", help: "1, with the version as a label" }
  new Gauge({ ...info, labelNames: ["version"], registers: [registry] }).set({ version }, 1)
}

function backlogGauge(house: House, registry: Registry): void {
  const name = "sallyport_alert_delivery_waiting"
  new Gauge({
    ...{ name, help: "messages that are due", labelNames: ["destination"], registers: [registry] },
    async collect() {
      this.reset()
      const active = (await recordOf(house, "destinations", "destinations"))?.active ?? []
      for (const each of active) {
        const { waiting } = await house.ledger.backlog(each.destination, house.log.clock())
        this.set({ destination: each.name }, waiting)
      }
    },
  })
}

const buckets = [0.1, 0.5, 1, 2, 5, 15, 60, 300, 3600, 21_600, 86_400, 259_200]

function deliveryMetrics(registry: Registry): Pick<Metrics, "attempted" | "listening"> {
  const registers = [registry]
  const seconds = new Histogram({
    name: "sallyport_alert_delivery_seconds",
    help: "from when a message was due until it was delivered",
    ...{ labelNames: ["destination"], buckets, registers },
  })
  const failures = new Counter({
    name: "sallyport_alert_delivery_failures_total",
    help: "attempts that failed",
    ...{ labelNames: ["destination"], registers },
  })
  const webhooks = new Counter({
    name: "sallyport_webhook_deliveries_total",
    help: "attempts to tell a webhook",
    ...{ labelNames: ["outcome"], registers },
  })
  const listeners = new Gauge({ name: "sallyport_sse_clients", help: "who listens to alerts", registers })
  return {
    attempted: ({ destination: { name: destination, kind }, outcome, waited_ms }) => {
      if (outcome === "delivered") seconds.observe({ destination }, waited_ms / 1000)
      else failures.inc({ destination })
      if (kind === "webhook") webhooks.inc({ outcome })
    },
    listening: count => listeners.set(count),
  }
}

async function listen(
  read: () => Promise<string>,
  port: number,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") return void response.writeHead(404).end()
    read().then(
      text => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.requestTimeout = 10_000
  server.maxConnections = 16
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  const close = () =>
    new Promise<void>(resolve => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`, close }
}
