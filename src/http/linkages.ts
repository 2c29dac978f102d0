import type { TSchema } from "typebox"
import { answerPairs, estimateLinkage, pairsFor, planForPack, shownLinkage } from "../custody/adjudication.ts"
import type { Caller } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { openLinkage } from "../custody/linkage.ts"
import type { Act } from "../grant/office.ts"
import { linkageStatements } from "../log/linkage-kinds.ts"
import { allow } from "./door.ts"
import { listQuery, pageAsked } from "./lists.ts"
import { callerOf, parameter, type Route } from "./route.ts"

/** How many people and vehicles are in what left: the machine's run, and what people say of pairs. */
export function linkageRoutes(house: House): Route[] {
  return [
    stating(house, {
      ...{ url: "/v1/incidents/:id/linkages", act: "declare", body: linkageStatements.opening },
      summary: "Open a linkage of what the newest scope counts: faces are compared in memory, and forgotten",
      answer: openLinkage,
    }),
    stating(house, {
      ...{ url: "/v1/linkages/:id/answers", act: "adjudicate", body: linkageStatements.answers },
      summary: "Say of pairs whether they are one person",
      answer: answerPairs,
    }),
    stating(house, {
      ...{ url: "/v1/linkages/:id/estimates", act: "declare", body: linkageStatements.estimate },
      summary: "Estimate how many people there are, from the answers so far",
      answer: estimateLinkage,
    }),
    {
      method: "GET",
      url: "/v1/linkages/:id",
      summary: "Show a linkage: how far the machine and the people are, and the newest estimate",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        return shownLinkage(house, parameter(request, "id"))
      },
    },
    {
      method: "GET",
      url: "/v1/linkages/:id/plan",
      summary:
        "The plan of a linkage with an interval, or of which no pair waits: before, it would tell which truths are known",
      access: "signed",
      answer: async (request, reply) => {
        await allow(house, callerOf(request), "declare")
        void reply.type("application/json; charset=utf-8")
        return Buffer.from(await planForPack(house, parameter(request, "id")))
      },
    },
    {
      method: "GET",
      url: "/v1/linkages/:id/pairs",
      summary: "The next pairs for you to look at, as silhouettes",
      access: "signed",
      query: { limit: listQuery.limit },
      answer: async request => {
        const caller = callerOf(request)
        await allow(house, caller, "adjudicate")
        const { limit } = pageAsked(request.query)
        return pairsFor(house, parameter(request, "id"), { by: caller.person.person, limit })
      },
    },
  ]
}

/** Who may not does not make the vault work. */
function stating(
  house: House,
  of: {
    readonly url: string
    readonly act: Act
    readonly summary: string
    readonly body: TSchema
    readonly answer: (house: House, caller: Caller, id: string) => Promise<unknown>
  },
): Route {
  const { url, act, summary, body, answer } = of
  return {
    ...{ method: "POST", url, summary, access: "signed", status: 201, body },
    answer: async request => {
      const caller = callerOf(request)
      await allow(house, caller, act)
      return answer(house, caller, parameter(request, "id"))
    },
  }
}
