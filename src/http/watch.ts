import { Type } from "typebox"
import { recordOf } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { watchedPeople, watchedPerson } from "../custody/suspicion.ts"
import { answerWatch } from "../custody/watching.ts"
import { Fault } from "../fault.ts"
import { statements } from "../log/shapes.ts"
import { allow } from "./door.ts"
import { listQuery, pageAsked, pageOf } from "./lists.ts"
import { callerOf, parameter, withOpenings, type Route } from "./route.ts"

/** What the watch holds against whom, and the answer of whoever it asked. */
export function watchRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/watch",
      summary: "Who has evidence against him, how much and why; with `all` also who has none",
      access: "signed",
      query: { ...listQuery, all: Type.Optional(Type.String({ pattern: "^(true|false)$" })) },
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const { limit, after } = pageAsked(request.query)
        const { all } = request.query as { all?: string }
        const asked = {
          limit: limit + 1,
          after: after ?? "",
          which: all === "true" ? "all" : "evident",
        } as const
        const people = await watchedPeople(house, asked)
        return pageOf(people, limit, { id: each => each.id, show: each => each })
      },
    },
    {
      method: "GET",
      url: "/v1/watch/:id",
      summary:
        "Show what the watch holds against a person: rule, threshold, actual, first and last event, 30 days",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const id = parameter(request, "id")
        const person = await recordOf(house, "person", id)
        if (person === null) throw new Fault("NOT_FOUND", "there is no such person")
        return watchedPerson(house, id)
      },
    },
    {
      method: "POST",
      url: "/v1/watch/answers",
      summary: "Say why, where the watch asked; signed anew, it lets the same request pass",
      access: "signed",
      status: 201,
      body: withOpenings(statements.answer),
      answer: request => answerWatch(house, callerOf(request)),
    },
  ]
}
