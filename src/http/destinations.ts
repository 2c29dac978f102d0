import { Type } from "typebox"
import { recordOf } from "../custody/caller.ts"
import {
  destinationOf,
  destinationsOf,
  resendMessage,
  testDestination,
  type Shown,
} from "../custody/destinations.ts"
import type { House } from "../custody/house.ts"
import { Fault } from "../fault.ts"
import type { HeldMessage } from "../ledger/ledger.ts"
import { statements } from "../log/shapes.ts"
import { base64 } from "../bytes.ts"
import { allow } from "./door.ts"
import { callerOf, parameter, type Route } from "./route.ts"

/** Who is told, how each stands, and what people do about it. Adding and removing takes two people (`motions.ts`). */
export function destinationRoutes(house: House): Route[] {
  return [...readingRoutes(house), ...doingRoutes(house)]
}

function readingRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/destinations",
      summary: "Who is told, with what each waits for and when it was last reached",
      access: "signed",
      query: { all: Type.Optional(Type.String({ pattern: "^yes$" })) },
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const { all } = request.query as { all?: string }
        const data = (await destinationsOf(house, { all: all === "yes" })).map(destinationShown)
        return { object: "list", data, has_more: false, next_cursor: null }
      },
    },
    {
      method: "GET",
      url: "/v1/destinations/:id",
      summary: "Show a destination with its newest messages",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const found = await destinationOf(house, parameter(request, "id"))
        return { ...destinationShown(found), messages: found.messages.map(messageShown) }
      },
    },
    {
      method: "GET",
      url: "/v1/messages/:id",
      summary: "Show a message, and how its delivery stands",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const message = await house.ledger.message(parameter(request, "id"))
        if (message === null) throw new Fault("NOT_FOUND", "there is no such message")
        return messageShown(message)
      },
    },
    {
      method: "GET",
      url: "/v1/webhook-keys/:id",
      summary: "The public key that a destination's webhooks are signed with (Standard Webhooks, v1a)",
      access: "public",
      answer: async request => {
        const held = await recordOf(house, "destination", parameter(request, "id"))
        if (held?.kind !== "webhook") throw new Fault("NOT_FOUND", "there is no such webhook")
        const { publicKey } = house.keys.root.webhookSigner(held.destination)
        return { destination: held.destination, key: `whpk_${base64(publicKey)}` }
      },
    },
  ]
}

function doingRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/destinations/:id/test",
      summary: "Tell a destination that this is a test",
      access: "signed",
      status: 201,
      body: statements.test,
      answer: request => testDestination(house, callerOf(request), parameter(request, "id")),
    },
    {
      method: "POST",
      url: "/v1/messages/:id/resending",
      summary: "Send a message again, whatever became of it",
      access: "signed",
      status: 201,
      body: statements.resending,
      answer: request => resendMessage(house, callerOf(request), parameter(request, "id")),
    },
  ]
}

const timeOf = (at_ms: number | null) => (at_ms === null ? null : new Date(at_ms).toISOString())

function destinationShown({ backlog, isAgency, ...rest }: Shown) {
  return {
    ...rest,
    is_agency: isAgency,
    waiting: backlog.waiting,
    abandoned: backlog.abandoned,
    oldest_waiting_at: timeOf(backlog.oldest_ms),
    last_delivered_at: timeOf(backlog.delivered_ms),
    last_failed_at: timeOf(backlog.failed_ms),
    last_failure: backlog.failure,
  }
}

function messageShown(message: HeldMessage) {
  const { id, destination, subject, event, entry, state, attempts, failure, body } = message
  return {
    ...{ message: id, destination, subject, event, entry, state, attempts, last_failure: failure },
    due_at: timeOf(message.due_ms),
    next_at: state === "waiting" ? timeOf(message.next_ms) : null,
    settled_at: timeOf(message.settled_ms),
    payload: JSON.parse(body) as unknown,
  }
}
