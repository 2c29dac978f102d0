import { planDraw } from "../custody/draw.ts"
import { decideGrant, editGrant, requestGrant, revokeGrant, tryTerms } from "../custody/grants.ts"
import { historyOf, releasesOf } from "../custody/history.ts"
import { preview } from "../custody/preview.ts"
import type { House } from "../custody/house.ts"
import { isStanding, release, type Delivery } from "../custody/release.ts"
import { reveal } from "../custody/reveal.ts"
import { stalenessOf, stateNow } from "../custody/stale.ts"
import { Fault } from "../fault.ts"
import { survivalOf } from "../mark/policy.ts"
import { isAgencyOffice } from "../grant/office.ts"
import { names, type Records } from "../log/state.ts"
import { statements } from "../log/shapes.ts"
import { recordOf, stateOf } from "../custody/caller.ts"
import { wanting } from "../ledger/ledger.ts"
import { standingGrant } from "../log/standing.ts"
import type { FastifyReply, FastifyRequest } from "fastify"
import { listQuery, matching, pageAsked, pageOf } from "./lists.ts"
import { multipart } from "./multipart.ts"
import { callerOf, idempotencyKey, parameter, withOpenings, type Route } from "./route.ts"
import type { Turnstile } from "../turnstile.ts"

/** Grants and cases; and the two routes, and no others, by which image bytes leave. */
export function grantRoutes(
  house: House,
  options: { readonly turnstile: Turnstile; readonly stopIfDiffering: () => void },
): Route[] {
  return [
    ...requestRoutes(house),
    ...readingRoutes(house),
    ...historyRoutes(house),
    ...decisionRoutes(house),
    ...imageRoutes(house, options),
  ]
}

function requestRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/grants",
      summary: "Ask for a grant, or open a case",
      access: "signed",
      status: 201,
      body: withOpenings(statements.terms),
      answer: request => requestGrant(house, callerOf(request)),
    },
    {
      method: "POST",
      url: "/v1/grants/trial",
      summary: "Which rule would refuse these terms now; nothing is asked for, logged or charged",
      access: "signed",
      body: statements.terms,
      answer: request => tryTerms(house, callerOf(request)),
    },
  ]
}

function readingRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/grants",
      summary: "List grants and cases; a vendor's person sees his own",
      access: "signed",
      query: listQuery,
      answer: async request => {
        const { person } = callerOf(request)
        const { limit, after } = pageAsked(request.query)
        const grants = await matching(house, "grant", {
          ...{ limit: limit + 1, after: after ?? "" },
          matches: grant => concerns(grant, person),
        })
        const page = await Promise.all(grants.map(grant => shown(house, grant)))
        return pageOf(page, limit, { id: grant => grant.grant, show: grant => grant })
      },
    },
    {
      method: "GET",
      url: "/v1/grants/:id",
      summary: "Show a grant or case with its use",
      access: "signed",
      answer: async request => shown(house, await grantAsked(house, request)),
    },
    {
      method: "GET",
      url: "/v1/grants/:id/preview",
      summary:
        "What would leave, by lane and hour, and what its holder's organization would hold; no pictures",
      access: "signed",
      answer: async request => preview(house, await grantAsked(house, request)),
    },
  ]
}

/** What became of a grant, and what left under it. */
function historyRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/grants/:id/releases",
      summary: "What left under the grant, oldest first, with the entries of permit and delivery",
      access: "signed",
      query: listQuery,
      answer: async request => {
        const { grant } = await grantAsked(house, request)
        const { limit, after } = pageAsked(request.query)
        if (after !== undefined && !/^[0-9]{1,16}$/.test(after))
          throw new Fault("INVALID", "the cursor is none of this list")
        const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) }
        const rows = await releasesOf(house, grant, page)
        return pageOf(rows, limit, { id: row => String(row.permit), show: row => row })
      },
    },
    {
      method: "GET",
      url: "/v1/grants/:id/history",
      summary:
        "What became of the grant: who asked, edited, approved, denied, revoked, with each one's entry",
      access: "signed",
      answer: async request => {
        const data = await historyOf(house, await grantAsked(house, request))
        return { object: "list", data, has_more: false, next_cursor: null }
      },
    },
  ]
}

/** The grant of the path, where the caller may see it. */
async function grantAsked(house: House, request: FastifyRequest): Promise<Records["grant"]> {
  const grant = await recordOf(house, "grant", parameter(request, "id"))
  if (grant === null || !concerns(grant, callerOf(request).person))
    throw new Fault("GRANT_UNKNOWN", "there is no such grant")
  return grant
}

function decisionRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/grants/:id/approvals",
      summary: "Approve or deny the terms that the digest names",
      access: "signed",
      status: 201,
      body: statements.approval,
      answer: request => decideGrant(house, callerOf(request), parameter(request, "id")),
    },
    {
      method: "POST",
      url: "/v1/grants/:id/edits",
      summary: "Change the terms in force: narrowing keeps the approvals, widening voids them",
      access: "signed",
      status: 201,
      body: withOpenings(statements.edit),
      answer: request => editGrant(house, callerOf(request), parameter(request, "id")),
    },
    {
      method: "POST",
      url: "/v1/grants/:id/revocation",
      summary: "Revoke a grant or close a case, at once",
      access: "signed",
      status: 201,
      body: statements.revocation,
      answer: request => revokeGrant(house, callerOf(request), parameter(request, "id")),
    },
  ]
}

function imageRoutes(
  house: House,
  { turnstile, stopIfDiffering }: { readonly turnstile: Turnstile; readonly stopIfDiffering: () => void },
): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/draws",
      summary: "Plan a draw: which images to ask for, one by one (Idempotency-Key needed)",
      access: "signed",
      status: 201,
      body: statements.draw,
      answer: request => {
        stopIfDiffering()
        return planDraw(house, callerOf(request), idempotencyKey(request, "a draw"))
      },
    },
    {
      method: "POST",
      url: "/v1/releases",
      summary: "Release one image to its holder: multipart with the image and its receipt",
      access: "signed",
      status: 201,
      body: statements.release,
      answer: (request, reply) => {
        stopIfDiffering()
        return turnstile.pass(async () => deliver(house, reply, await release(house, callerOf(request))))
      },
    },
    {
      method: "POST",
      url: "/v1/reveals",
      summary: "Reveal one image to one of the agency's people, under a case",
      access: "signed",
      status: 201,
      body: withOpenings(statements.reveal),
      answer: (request, reply) => {
        stopIfDiffering()
        return turnstile.pass(async () => deliver(house, reply, await reveal(house, callerOf(request))))
      },
    },
  ]
}

function concerns(grant: Records["grant"], person: Records["person"]): boolean {
  return (
    isAgencyOffice(person.office) || grant.requester === person.person || grant.terms.holder === person.person
  )
}

async function shown(house: House, held: Records["grant"]) {
  const moves = wanting({ records: [{ kind: "moves", id: "moves" }] })
  const grant = standingGrant(held, await stateOf(house, moves))
  const images_used = await house.ledger.counter(names.images(grant.grant))
  const releases = await house.ledger.counter(names.releases(grant.grant))
  return {
    ...grant,
    state: stateNow(grant, house.log.clock()),
    stale: await stalenessOf(house, grant),
    images_used,
    images_left: grant.terms.images - images_used,
    releases,
  }
}

const watchEvery_ms = 500

/** Breaks off bytes that are still on their way when what they were permitted by no longer stands. */
function watchOver(house: House, reply: FastifyReply, delivery: Delivery): void {
  const timer = setInterval(() => {
    isStanding(house, delivery)
      .then(stands => {
        if (!stands) reply.raw.destroy()
      })
      .catch(() => reply.raw.destroy())
  }, watchEvery_ms)
  reply.raw.once("close", () => clearInterval(timer))
}

function deliver(house: House, reply: FastifyReply, delivery: Delivery): Buffer {
  watchOver(house, reply, delivery)
  const name = `${delivery.capture}.${delivery.mediaType === "image/png" ? "png" : "jpg"}`
  const { type, body } = multipart([
    { name: "image", filename: name, type: delivery.mediaType, bytes: delivery.bytes },
    {
      name: "receipt",
      filename: `${name}.tlog-proof`,
      type: "text/plain; charset=utf-8",
      bytes: Buffer.from(delivery.receipt),
    },
  ])
  void reply.headers({
    "content-type": type,
    "cache-control": "no-store",
    "sallyport-permit": delivery.permit,
    "sallyport-delivered": delivery.delivered,
    "sallyport-images-used": delivery.imagesUsed,
    ...(delivery.mark === null
      ? {}
      : {
          "sallyport-mark": `pixels=${delivery.mark.marked_px}, db=${delivery.mark.psnr_db}, survives="${survivalOf(delivery.mark)}"`,
        }),
  })
  return body
}
