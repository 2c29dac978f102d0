import type { FastifyInstance } from "fastify"
import type { House } from "../custody/house.ts"
import { readersHealth } from "../custody/lane-health.ts"
import { maxReport_bytes } from "../custody/lane-report.ts"
import { takeReport } from "../custody/take-report.ts"
import { Fault } from "../fault.ts"
import { RateLimit } from "../rate.ts"
import { allow } from "./door.ts"
import { callerOf, type Route } from "./route.ts"

export const reportType = "application/vnd.sallyport.lane-report"

/** One reader: once a second, and a few at once after a rest. */
const rate = { perSecond: 1, burst: 20 }

export function readReports(app: FastifyInstance): void {
  app.addContentTypeParser(reportType, { parseAs: "buffer" }, (_, body, done) => done(null, body))
}

/** What lanes say of themselves, and how they stand. */
export function laneRoutes(house: House, silentAfter_ms: number): Route[] {
  const rates = new RateLimit(rate)
  return [
    {
      method: "POST",
      url: "/v1/lane-reports",
      summary: "Take the report of a reader's agent; it carries the reader's signature for this vault",
      access: "public",
      status: 204,
      bodyLimit_bytes: maxReport_bytes,
      answer: request => {
        if (!Buffer.isBuffer(request.body)) throw new Fault("MEDIA_TYPE", `send ${reportType}`)
        return takeReport(house, request.body, rates)
      },
    },
    {
      method: "GET",
      url: "/v1/lanes/health",
      summary: "How each reader stands: when it was heard of, what waits at its lane, alarms, open alerts",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "list captures")
        const data = await readersHealth(house, silentAfter_ms)
        return { object: "list", data, has_more: false, next_cursor: null }
      },
    },
  ]
}
