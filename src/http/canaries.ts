import { Type } from "typebox"
import type { Caller } from "../custody/caller.ts"
import { canaries } from "../custody/canary-list.ts"
import { planCanaries, type PlanAsked } from "../custody/canary-plan.ts"
import { touches } from "../custody/canaries.ts"
import type { House } from "../custody/house.ts"
import { noteReading } from "../custody/openings.ts"
import { id } from "../log/shapes.ts"
import { allow } from "./door.ts"
import { listQuery, pageAsked } from "./lists.ts"
import { callerOf, type Route } from "./route.ts"

/** What only few may know: which captures are canaries, and who touched one. That somebody looked is in the log, not at what. */
export function canaryRoutes(house: House): Route[] {
  const admit = async (caller: Caller) => {
    await allow(house, caller, "know canaries")
    await noteReading(house, caller, "canaries")
  }
  return [
    {
      method: "POST",
      url: "/v1/canary-plans",
      summary: "Plan canaries for a lane: when they are to come, and the ids by which the vault knows them",
      access: "signed",
      body: Type.Object(
        {
          lane: id("lan"),
          count: Type.Integer({ minimum: 1, maximum: 200 }),
          over_s: Type.Integer({ minimum: 1, maximum: 604_800 }),
        },
        { additionalProperties: false },
      ),
      answer: async request => {
        await admit(callerOf(request))
        return planCanaries(house, request.body as PlanAsked)
      },
    },
    {
      method: "GET",
      url: "/v1/canaries",
      summary: "List canaries, oldest first; at most 20,000 captures are looked at in one turn",
      access: "signed",
      query: { ...listQuery, lane: Type.Optional(id("lan")) },
      answer: async request => {
        await admit(callerOf(request))
        const { lane } = request.query as { lane?: string }
        const { after, ...found } = await canaries(house, {
          ...pageAsked(request.query),
          ...(lane === undefined ? {} : { lane }),
        })
        const next_cursor = after === null ? null : Buffer.from(after).toString("base64url")
        const { canaries: data, looked } = found
        return { object: "list", data, looked, has_more: after !== null, next_cursor }
      },
    },
    touchesRoute(house, admit),
  ]
}

function touchesRoute(house: House, admit: (caller: Caller) => Promise<void>): Route {
  return {
    method: "GET",
    url: "/v1/canary-touches",
    summary: "Who asked for a canary, newest first; read from the log with the vault's key",
    access: "signed",
    query: {
      limit: listQuery.limit,
      before: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$" })),
    },
    answer: async request => {
      await admit(callerOf(request))
      const { limit } = pageAsked(request.query)
      const { before } = request.query as { before?: string }
      const asked = { limit, ...(before === undefined ? {} : { before: Number(before) }) }
      const found = await touches(house, asked)
      return { object: "list", data: found.touches, before: found.before }
    },
  }
}
