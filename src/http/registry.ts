import { chainKeys, recordOf } from "../custody/caller.ts"
import { geometryOf } from "../custody/geometry.ts"
import type { House } from "../custody/house.ts"
import { lanesStanding } from "../custody/lane-health.ts"
import { draftRecipients, recipientsList, signRecipients } from "../custody/recipients.ts"
import { attest, register, suspend, type Resource } from "../custody/register.ts"
import { Fault } from "../fault.ts"
import { isAgencyOffice } from "../grant/office.ts"
import type { RecordKind, Records } from "../log/state.ts"
import { statements } from "../log/shapes.ts"
import { Type, type TSchema } from "typebox"
import { allow } from "./door.ts"
import { listQuery, matching, pageAsked, pageOf } from "./lists.ts"
import { callerOf, parameter, withOpenings, type Route } from "./route.ts"

const resources: Readonly<Record<Resource, { kind: RecordKind; statement: TSchema; what: string }>> = {
  orgs: { kind: "organization", statement: statements.organization, what: "an organization" },
  contracts: { kind: "contract", statement: statements.contract, what: "a contract" },
  people: { kind: "person", statement: statements.person, what: "a person" },
  ports: { kind: "port", statement: statements.port, what: "a port" },
  lanes: { kind: "lane", statement: statements.lane, what: "a lane" },
  readers: { kind: "reader", statement: statements.reader, what: "a reader" },
}

/** What a vendor may see of the registry: where things are, not who else is there. */
const openToVendors: readonly Resource[] = ["ports", "lanes"]

/** Organizations, contracts, people, ports, lanes, readers, and the recipients of the days. */
export function registryRoutes(house: House): Route[] {
  const each = (Object.keys(resources) as Resource[]).flatMap(resource => resourceRoutes(house, resource))
  return [
    ...each,
    {
      method: "POST",
      url: "/v1/contracts/:id/attestations",
      summary: "Record what the contractor showed, and until when it holds",
      access: "signed",
      status: 201,
      body: statements.attestation,
      answer: request => attest(house, callerOf(request), parameter(request, "id")),
    },
    {
      method: "GET",
      url: "/v1/lanes/:id/geometry",
      summary:
        "What a lane's pictures are like, over many: sizes, for samples that are drawn without a grant",
      access: "signed",
      answer: async request => {
        const lane = parameter(request, "id")
        if ((await recordOf(house, "lane", lane)) === null)
          throw new Fault("NOT_FOUND", "there is no such lane")
        return { lane, geometry: await geometryOf(house, lane) }
      },
    },
    {
      method: "GET",
      url: "/v1/me/contracts",
      summary: "The live contracts that a grant for who asks could rest on",
      access: "signed",
      answer: async request => {
        const chain = (await chainKeys(house, callerOf(request).person.organization)).map(key => key.id)
        const now_ms = house.log.clock()
        const data = await matching(house, "contract", {
          ...{ limit: 200, after: "" },
          matches: each => chain.includes(each.organization) && now_ms < Date.parse(each.ends_at),
        })
        return { object: "list", data, has_more: false, next_cursor: null }
      },
    },
    suspension(house, "people", "person"),
    suspension(house, "orgs", "organization"),
    ...recipientRoutes(house),
  ]
}

function resourceRoutes(house: House, resource: Resource): Route[] {
  const { kind, statement, what } = resources[resource]
  const mayRead = async (request: Parameters<Route["answer"]>[0]) => {
    const caller = callerOf(request)
    if (openToVendors.includes(resource) && !isAgencyOffice(caller.person.office)) return
    await allow(house, caller, "read log")
  }
  return [
    {
      method: "POST",
      url: `/v1/${resource}`,
      summary: `Add ${what}`,
      access: "signed",
      status: 201,
      body: withOpenings(statement),
      answer: request => register(house, callerOf(request), resource),
    },
    {
      method: "GET",
      url: `/v1/${resource}`,
      summary: `List: ${resource}`,
      access: "signed",
      query: listQuery,
      answer: async request => {
        await mayRead(request)
        const { limit, after } = pageAsked(request.query)
        const rows = await house.ledger.records(kind, {
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        })
        const page = pageOf(rows, limit, {
          id: row => row.id,
          show: row => ({ id: row.id, entry: row.version, ...(JSON.parse(row.body) as object) }),
        })
        if (resource !== "lanes" || !isAgencyOffice(callerOf(request).person.office)) return page
        const standing = await lanesStanding(house, page.data as unknown as Records["lane"][])
        return { ...page, data: page.data.map((lane, i) => ({ ...lane, ...standing[i] })) }
      },
    },
    {
      method: "GET",
      url: `/v1/${resource}/:id`,
      summary: `Show ${what}`,
      access: "signed",
      answer: async request => {
        await mayRead(request)
        const row = await house.ledger.record(kind, parameter(request, "id"))
        if (row === null) throw new Fault("NOT_FOUND", `there is no such ${kind}`)
        return { id: row.id, entry: row.version, ...(JSON.parse(row.body) as object) }
      },
    },
  ]
}

function suspension(house: House, resource: "people" | "orgs", kind: "person" | "organization"): Route {
  return {
    method: "POST",
    url: `/v1/${resource}/:id/suspension`,
    summary: `Suspend or resume a ${kind}`,
    access: "signed",
    status: 201,
    body: statements.suspension,
    answer: async request => {
      const id = parameter(request, "id")
      if ((await recordOf(house, kind, id)) === null) throw new Fault("NOT_FOUND", `there is no such ${kind}`)
      return suspend(house, callerOf(request), { kind, id })
    },
  }
}

function recipientRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/recipients",
      summary: "The day's age recipients, signed by a custodian (a C2SP signed note)",
      access: "public",
      answer: async (_, reply) => {
        void reply.type("text/plain; charset=utf-8")
        return recipientsList(house)
      },
    },
    {
      method: "GET",
      url: "/v1/recipients/draft",
      summary: "The list of the next days' recipients, to be signed by a custodian",
      access: "signed",
      query: { days: Type.String({ pattern: "^[0-9]{1,2}$" }) },
      answer: async (request, reply) => {
        await allow(house, callerOf(request), "register")
        void reply.type("text/plain; charset=utf-8")
        return draftRecipients(house, Number((request.query as { days: string }).days))
      },
    },
    {
      method: "POST",
      url: "/v1/recipients",
      summary: "Publish a signed list of recipients",
      access: "signed",
      status: 201,
      body: statements.recipients,
      answer: request => signRecipients(house, callerOf(request)),
    },
  ]
}
