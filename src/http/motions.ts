import { Type } from "typebox"
import type { House } from "../custody/house.ts"
import { orderStop, proposeMotion, reviewGlass, secondMotion } from "../custody/motions.ts"
import { recordOf } from "../custody/caller.ts"
import { proposedAddress } from "../custody/destinations.ts"
import { Fault } from "../fault.ts"
import { defaultPolicy } from "../grant/policy.ts"
import { motionPaths } from "../log/authentic.ts"
import { acts, statements } from "../log/shapes.ts"
import type { Records } from "../log/state.ts"
import { allow } from "./door.ts"
import { listQuery, matching, pageAsked, pageOf } from "./lists.ts"
import { callerOf, parameter, withOpenings, type Route } from "./route.ts"

const proposals = [
  ["policy", "Propose another policy: approvals and budgets"],
  ["resume", "Propose to end an emergency stop"],
  ["add-key", "Propose another key for a person"],
  ["remove-key", "Propose to take a person's key away, for good"],
  ["change-office", "Propose another office for a person; what he approved in the former counts no more"],
  ["break-glass", "Break the glass: a short, small case for who asks, open with a second person's key"],
  ["look", "Propose one look at L4, for who holds the case"],
  ["lift-person", "Propose to lift a person's suspension; what the watch holds against him begins anew"],
  ["lift-organization", "Propose to lift an organization's suspension"],
  ["adopt-model", "Propose by which model and thresholds the watch judges, with their back test"],
  ["add-destination", "Propose who else is told, of which events"],
  ["remove-destination", "Propose to tell a destination nothing more"],
  ["sign-statement", "Propose to sign an incident's statement and letters, by their digests"],
  ["set-boxes", "Propose where the plates and faces of a capture are, in place of what was found"],
] as const

/** What one person proposes and another signs; and the emergency stop, which one person orders. */
export function motionRoutes(house: House): Route[] {
  const each = proposals.map(([act, summary]): Route => ({
    method: "POST",
    url: motionPaths[act],
    summary,
    access: "signed",
    status: 201,
    body: withOpenings(acts[act]),
    answer: request => proposeMotion(house, callerOf(request), act),
  }))
  return [...each, ...secondRoutes(house), ...standingRoutes(house)]
}

function secondRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/motions",
      summary: "What waits for a second person, or had one",
      access: "signed",
      query: { ...listQuery, status: Type.Optional(Type.String({ pattern: "^(open|carried|rejected)$" })) },
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const { limit, after } = pageAsked(request.query)
        const { status } = request.query as { status?: string }
        const motions = await matching(house, "motion", {
          ...{ limit: limit + 1, after: after ?? "" },
          matches: motion => status === undefined || motion.status === status,
        })
        return pageOf(motions, limit, { id: motion => motion.motion, show: motion => motion })
      },
    },
    {
      method: "GET",
      url: "/v1/motions/:id",
      summary: "Show what waits for a second person",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const motion = await recordOf(house, "motion", parameter(request, "id"))
        if (motion === null) throw new Fault("NOT_FOUND", "there is no such motion")
        return { ...motion, ...(await proposedAddress(house, motion)) }
      },
    },
    {
      method: "POST",
      url: "/v1/motions/:id/second",
      summary: "Sign, or reject, what another person proposed",
      access: "signed",
      status: 201,
      body: statements.seconding,
      answer: request => secondMotion(house, callerOf(request), parameter(request, "id")),
    },
  ]
}

function standingRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/grants/:id/review",
      summary: "Judge a break-glass that is over, by somebody who had no part in it",
      access: "signed",
      status: 201,
      body: withOpenings(statements.review),
      answer: request => reviewGlass(house, callerOf(request), parameter(request, "id")),
    },
    {
      method: "GET",
      url: "/v1/policy",
      summary: "The policy in force",
      access: "signed",
      answer: async () => (await recordOf(house, "policy", "policy")) ?? defaultPolicy,
    },
    {
      method: "POST",
      url: "/v1/stops",
      summary: "Emergency stop: nothing leaves the vault, or a port's captures, until two people resume it",
      access: "signed",
      status: 201,
      body: statements.stop,
      answer: request => orderStop(house, callerOf(request)),
    },
    {
      method: "GET",
      url: "/v1/stops",
      summary: "Emergency stops, in force or ended",
      access: "signed",
      answer: async () => {
        const rows = await house.ledger.records("stop", { limit: 1000 })
        const data = rows.map(row => JSON.parse(row.body) as Records["stop"])
        return { object: "list", data, has_more: false, next_cursor: null }
      },
    },
  ]
}
