import type { House } from "../custody/house.ts"
import { acknowledgeNotice } from "../custody/alerts.ts"
import { recordOf } from "../custody/caller.ts"
import { Fault } from "../fault.ts"
import { statements } from "../log/shapes.ts"
import { parseEntry } from "../log/kinds.ts"
import { noticeOf, tellingKinds, type Notice } from "../log/notices.ts"
import { allow } from "./door.ts"
import { listQuery, pageAsked } from "./lists.ts"
import { callerOf, parameter, withOpenings, type Route } from "./route.ts"

/** One thing that somebody had to hear of, with the entry that says it. */
export interface Told extends Notice {
  readonly entry: number
  readonly at: string
}

/** How far back each kind is searched: permits are many, and few tell anything. */
const searched = 2000
const page = 200

/** What the vault told: alarms and notices, newest first, and the break-glass cases that wait for their review. */
export function noticeRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/notices",
      summary: "Alarms and notices, newest first, and the reviews that are due",
      access: "signed",
      query: { limit: listQuery.limit },
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const { limit } = pageAsked(request.query)
        const reviews = (await recordOf(house, "glass", "glass"))?.open ?? []
        return { object: "list", data: await newest(house, limit), searched, reviews }
      },
    },
    {
      method: "POST",
      url: "/v1/notices/:entry/acknowledgement",
      summary: "Say that what was told of an entry was seen, and what came of it",
      access: "signed",
      status: 201,
      body: withOpenings(statements.acknowledgement),
      answer: request => acknowledgeNotice(house, callerOf(request), entryOf(parameter(request, "entry"))),
    },
  ]
}

function entryOf(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  throw new Fault("NOT_FOUND", "there is no such entry")
}

async function newest(house: House, limit: number): Promise<Told[]> {
  const told: Told[] = []
  for (const kind of tellingKinds) told.push(...(await newestOf(house, kind, limit)))
  return told.sort((a, b) => b.entry - a.entry).slice(0, limit)
}

async function newestOf(house: House, kind: (typeof tellingKinds)[number], limit: number): Promise<Told[]> {
  const told: Told[] = []
  let before: { before?: number } = {}
  for (let seen = 0; seen < searched && told.length < limit; seen += page) {
    const rows = await house.ledger.newestEntries({ kind, limit: page, ...before })
    for (const { index, bytes } of rows) {
      const entry = parseEntry(bytes)
      const notice = entry === null ? null : noticeOf(entry)
      if (entry !== null && notice !== null) told.push({ ...notice, entry: index, at: entry.at })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) break
    before = { before: last.index }
  }
  return told
}
