import type { FastifyInstance } from "fastify"
import { Type } from "typebox"
import { closeTrace } from "../custody/close-trace.ts"
import { withCanaries } from "../custody/canaries.ts"
import type { House } from "../custody/house.ts"
import { openOne, openTrace, takeFile, traceOf } from "../custody/trace.ts"
import { Fault } from "../fault.ts"
import { statements } from "../log/shapes.ts"
import { traceLimits } from "../log/trace-limits.ts"
import { allow } from "./door.ts"
import { listQuery, matching, pageAsked, pageOf } from "./lists.ts"
import { callerOf, parameter, withOpenings, type Route } from "./route.ts"

export const foundType = "application/octet-stream"

export function readFound(app: FastifyInstance): void {
  app.addContentTypeParser(foundType, { parseAs: "buffer" }, (_, body, done) => done(null, body))
}

/** Found files, and whose copies they are. */
export function traceRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/traces",
      summary: "Open a trace of found files, named by their SHA-256",
      access: "signed",
      status: 201,
      body: withOpenings(statements.trace),
      answer: request => openTrace(house, callerOf(request)),
    },
    {
      method: "POST",
      url: "/v1/traces/:id/files",
      summary:
        "Bring one of an open trace's files; that it is one its SHA-256 says, which was signed with the opening",
      access: "public",
      bodyLimit_bytes: traceLimits.file_bytes,
      answer: async request => {
        if (!Buffer.isBuffer(request.body)) throw new Fault("MEDIA_TYPE", `send ${foundType}`)
        const { comparison, ...looked } = await takeFile(house, parameter(request, "id"), request.body)
        const { shown_px = null, likeness = null } = comparison ?? {}
        return { ...looked, shown_px, likeness }
      },
    },
    {
      method: "POST",
      url: "/v1/traces/:id/closing",
      summary: "Judge the files of a trace, all of which were brought",
      access: "signed",
      body: Type.Object({}, { additionalProperties: false }),
      answer: async request => {
        const caller = callerOf(request)
        await allow(house, caller, "trace")
        const { person, trace } = openOne(house, parameter(request, "id"))
        if (person !== caller.person.person)
          throw new Fault("CONFLICT", "another person opened this trace, and closes it")
        return withCanaries(house, caller, await closeTrace(house, trace))
      },
    },
    ...readingRoutes(house),
  ]
}

function readingRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/traces",
      summary: "Traces, oldest first",
      access: "signed",
      query: { ...listQuery },
      answer: async request => {
        await allow(house, callerOf(request), "trace")
        const { limit, after } = pageAsked(request.query)
        const traces = await matching(house, "trace", {
          ...{ limit: limit + 1, after: after ?? "", matches: () => true },
        })
        return pageOf(traces, limit, { id: each => each.trace, show: each => each })
      },
    },
    {
      method: "GET",
      url: "/v1/traces/:id",
      summary: "Show a trace and its verdicts, as the log has them",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "trace")
        return traceOf(house, parameter(request, "id"))
      },
    },
  ]
}
