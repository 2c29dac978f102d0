import { Type, type TSchema } from "typebox"
import { packsOf } from "../custody/clock-packs.ts"
import { standingClocks, startClocks } from "../custody/incident-clocks.ts"
import { incidentOf, ownReport, resultOf } from "../custody/incident-record.ts"
import { acknowledgeClock, amendIncident, closeIncident } from "../custody/incidents.ts"
import { declareIncident, scopeIncident, signOffClock } from "../custody/incidents.ts"
import type { Caller } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { listed } from "../incident/pack-place.ts"
import type { IncidentState } from "../log/incidents.ts"
import { incidentStatements } from "../log/incident-shapes.ts"
import { allow } from "./door.ts"
import type { Metrics } from "./metrics.ts"
import { listQuery, matching, pageAsked, pageOf } from "./lists.ts"
import { callerOf, idempotencyKey, parameter, withOpenings, type Route } from "./route.ts"

/** Incidents: what is known, what left, whose clocks run. */
export function incidentRoutes(house: House, metrics?: Metrics): Route[] {
  return [
    declaring(house, "/v1/incidents", "Declare an incident by what is known of it (Idempotency-Key needed)"),
    declaring(
      house,
      "/v1/breach-reports",
      "A vendor reports that his own organization was breached (Idempotency-Key needed)",
    ),
    stating(house, {
      path: "amendments",
      summary: "State anew all that is believed; what was closed is open again",
      body: withOpenings(incidentStatements.amendment),
      answer: amendIncident,
    }),
    stating(house, {
      path: "scopes",
      summary: "Count what left, was refused and can still be taken, from the verified log",
      body: incidentStatements.reckoning,
      answer: allowed(timed(scopeIncident, metrics)),
    }),
    stating(house, {
      path: "clocks",
      summary: "Start the clocks that run, in place of those that ran before",
      body: incidentStatements.reckoning,
      answer: allowed(startClocks),
    }),
    stating(house, {
      path: "acknowledgements",
      summary: "One receiver of a notice acknowledged it: his reference, and when",
      body: incidentStatements.meeting,
      answer: acknowledgeClock,
    }),
    stating(house, {
      path: "sign-offs",
      summary: "What counsel says of a clock",
      body: withOpenings(incidentStatements.opinion),
      answer: signOffClock,
    }),
    stating(house, {
      path: "closing",
      summary: "Close an incident: settled, or unfounded",
      body: withOpenings(incidentStatements.ending),
      answer: closeIncident,
    }),
    ...readingRoutes(house),
  ]
}

type Answer = (house: House, caller: Caller, incident: string) => Promise<unknown>

/** Who may not declare does not make the vault reckon. */
function allowed(answer: Answer): Answer {
  return async (house, caller, incident) => {
    await allow(house, caller, "declare")
    return answer(house, caller, incident)
  }
}

function timed(answer: Answer, metrics: Metrics | undefined): Answer {
  return async (...of) => {
    const from_ms = performance.now()
    const answered = await answer(...of)
    metrics?.scoped(performance.now() - from_ms)
    return answered
  }
}

function declaring(house: House, url: "/v1/incidents" | "/v1/breach-reports", summary: string): Route {
  const reported = url === "/v1/breach-reports"
  return {
    ...{ method: "POST", url, summary, access: "signed", status: 201 },
    body: withOpenings(incidentStatements.incident),
    answer: async request => {
      const key = idempotencyKey(request, reported ? "a report" : "a declaration")
      const done = await declareIncident(house, callerOf(request), { reported, key })
      // Who is suspended meanwhile reads nothing any more; he has his receipt, and gets it again for the same report.
      return reported ? { ...done, receipt: await house.log.receiptAt(done.entry) } : done
    },
  }
}

function stating(
  house: House,
  of: {
    readonly path: string
    readonly summary: string
    readonly body: TSchema
    readonly answer: Answer
  },
): Route {
  const { path, summary, body, answer } = of
  return {
    ...{ method: "POST", url: `/v1/incidents/:id/${path}`, summary, access: "signed", status: 201, body },
    answer: request => answer(house, callerOf(request), parameter(request, "id")),
  }
}

function readingRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/incidents",
      summary: "Incidents, oldest first",
      access: "signed",
      query: {
        ...listQuery,
        status: Type.Optional(Type.String({ pattern: "^(reported|declared|closed|open)$" })),
      },
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const { limit, after } = pageAsked(request.query)
        const { status } = request.query as { status?: string }
        const incidents = await matching(house, "incident", {
          ...{ limit: limit + 1, after: after ?? "" },
          matches: each =>
            status === undefined || (status === "open" ? each.status !== "closed" : each.status === status),
        })
        return pageOf(incidents, limit, { id: each => each.incident, show: each => each })
      },
    },
    {
      method: "GET",
      url: "/v1/clock-packs",
      summary: "The packs by which clocks are reckoned, and where each is from",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        return listed(packsOf(house))
      },
    },
    {
      method: "GET",
      url: "/v1/incidents/:id",
      summary: "Show an incident as the log has it; to the vendor who reported it, that it was received",
      access: "signed",
      answer: async request => {
        const [caller, id] = [callerOf(request), parameter(request, "id")]
        const own = await ownReport(house, caller, id)
        if (own !== null) return own
        await allow(house, caller, "read log")
        return incidentOf(house, id)
      },
    },
    reading(house, "/scope", "The newest scope of an incident", held => resultOf(house, held)),
    reading(house, "/clocks", "How every clock of the packs stands now, and why", held =>
      standingClocks(house, held),
    ),
  ]
}

function reading(
  house: House,
  path: string,
  summary: string,
  answer: (held: IncidentState) => Promise<unknown>,
): Route {
  return {
    ...{ method: "GET", url: `/v1/incidents/:id${path}`, summary, access: "signed" },
    answer: async request => {
      await allow(house, callerOf(request), "read log")
      return answer(await incidentOf(house, parameter(request, "id")))
    },
  }
}
