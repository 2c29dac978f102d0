import { afterAll, beforeAll, expect, test } from "vitest"
import type { Ask } from "../../src/cli/client.ts"
import { permit } from "../../src/custody/opening.ts"
import { ruleNames } from "../../src/custody/rules.ts"
import { openMetrics, type Metrics } from "../../src/http/metrics.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { newId } from "../../src/ids.ts"
import { organizationOf } from "../destinations.ts"
import { leave } from "../incident.ts"
import { codeOf, grantOf, openTestPort, releaseCaller, type Role, type TestPort } from "../port.ts"
import { clientFor } from "../server.ts"

/** What Prometheus reads of incidents, and of the rules. */

let port: TestPort
let metrics: Metrics
let server: Server
let captures: readonly string[]

beforeAll(async () => {
  port = await openTestPort()
  captures = await leave(port, 2)
  metrics = await openMetrics(port.house, { version: "0.0.0", port: null })
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

const ask = <T>(role: Role, of: Ask) =>
  clientFor(port.people[role], server.url, port.house.log.origin).json<T>(of)

/** A series' value; `null` where there is none. */
async function read(series: string): Promise<number | null> {
  const line = (await metrics.read()).split("\n").find(each => each.startsWith(`${series} `))
  return line === undefined ? null : Number(line.slice(series.length + 1))
}

const clocks = async () =>
  Promise.all(["running", "met", "missed"].map(state => read(`sallyport_incident_clocks{state="${state}"}`)))

async function declared(): Promise<string> {
  const day_ms = 86_400_000
  const ago = (span_ms: number) => new Date(port.house.log.clock() - span_ms).toISOString()
  const contractor = { roles: ["dhs_contractor"], zone: "America/New_York" }
  const statement = {
    title: "our network",
    cause: { of: "organizations", organizations: [await organizationOf(port, "engineer")] },
    ...{ from: null, until: null, note_commitment: null },
    discovered: [{ party: "subcontractor", at: ago(18 * day_ms) }],
    facts: { elements: { pii: "yes" }, parties: { subcontractor: contractor } },
  }
  const headers = { "idempotency-key": newId("req") }
  const path = "/v1/incidents"
  return (await ask<{ incident: string }>("privacy", { method: "POST", path, statement, headers })).incident
}

test("incidents that are open, their clocks by state, and what the last scope took and how old it is", async () => {
  expect(await read("sallyport_incidents_open")).toBe(0)
  expect(await read("sallyport_incident_scope_age_seconds")).toBe(-1)
  expect(await read("sallyport_incident_scope_seconds")).toBe(0)
  const incident = await declared()
  expect(await read("sallyport_incidents_open")).toBe(1)
  expect(await clocks()).toEqual([0, 0, 0])
  const path = `/v1/incidents/${incident}`
  const post = (part: string, statement: Ask["statement"], names = {}) =>
    ask("privacy", { method: "POST", path: `${path}/${part}`, statement: statement!, names })
  await post("scopes", { version: 1 })
  expect(await read("sallyport_incident_scope_age_seconds")).toBeGreaterThanOrEqual(0)
  expect(await read("sallyport_incident_scope_seconds")).toBeGreaterThan(0)
  await post("clocks", { version: 1 })
  // The hour of HSAR 3052.204-72 is over; what has no fixed time runs.
  const [running, met, missed] = await clocks()
  expect([met, missed]).toEqual([0, 1])
  expect(running).toBeGreaterThan(0)
  const acknowledged_at = new Date(port.house.log.clock()).toISOString()
  for (const receiver of ["component_soc", "contracting_officer"])
    await post("acknowledgements", {
      ...{ pack: "us-dhs", rule: "hsar-72-pii", party: "subcontractor" },
      ...{ receiver, reference: "SOC-1", acknowledged_at },
    })
  expect(await clocks()).toEqual([running, 1, 0])
  expect(await metrics.read()).not.toMatch(/[a-z]{3}_[0-9A-Z]{26}/)
  await post("closing", { outcome: "unfounded" }, { reason: "it was a drill of the vendor" })
  expect(await read("sallyport_incidents_open")).toBe(0)
  expect(await clocks()).toEqual([0, 0, 0])
})

const evaluations = (rule: string) => async () =>
  Promise.all(
    ["fired", "quiet", "no_data", "error"].map(async result => {
      return (await read(`sallyport_rule_evaluations_total{rule="${rule}",result="${result}"}`)) ?? 0
    }),
  )

test("each evaluation of a rule is of what came since the one before: fired, quiet, or no data", async () => {
  const [unknown, watch] = [evaluations("refused.unknown"), evaluations("watch.step_up person")]
  await metrics.evaluate()
  const [before, watched] = [await unknown(), await watch()]
  const grant = await grantOf(port)
  const asking = async (capture: string) =>
    codeOf(permit(port.house, await releaseCaller(port, { grant, capture }), "release"))
  expect(await asking(newId("cap"))).toBe("NOT_FOUND")
  await metrics.evaluate()
  const plus = (counts: readonly number[], at: number) => counts.map((count, n) => count + (n === at ? 1 : 0))
  expect(await unknown()).toEqual(plus(before, 0))
  expect(await asking(captures[0]!)).toBe("done")
  await metrics.evaluate()
  expect(await unknown()).toEqual(plus(plus(before, 0), 1))
  await metrics.evaluate()
  expect(await unknown()).toEqual(plus(plus(plus(before, 0), 1), 2))
  expect((await watch()).reduce((a, b) => a + b)).toBe(watched.reduce((a, b) => a + b) + 3)
  for (const rule of ruleNames)
    expect([rule, (await evaluations(rule)()).reduce((a, b) => a + b)]).toEqual([rule, 4])
})
