import { Type } from "typebox"
import { lastDays } from "../custody/alert-days.ts"
import { acknowledge, closeAlert } from "../custody/alerts.ts"
import { recordOf } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { lastHeard_ms } from "../custody/silence.ts"
import { Fault } from "../fault.ts"
import { alertTable } from "../log/alert-table.ts"
import { isOpen } from "../log/alerts.ts"
import { parseEntry } from "../log/kinds.ts"
import { statements } from "../log/shapes.ts"
import type { Records } from "../log/state.ts"
import { allow } from "./door.ts"
import { listQuery, matching, pageAsked, pageOf } from "./lists.ts"
import { callerOf, parameter, withOpenings, type Route } from "./route.ts"
import { sentenceOf } from "./sentences.ts"

/** What the vault noticed of readers and of those who ask, or the lanes' agents told. */
export function alertRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/alerts",
      summary: "Alerts, oldest first",
      access: "signed",
      query: {
        ...listQuery,
        status: Type.Optional(Type.String({ pattern: "^(open|acknowledged|closed)$" })),
      },
      answer: async request => {
        await allow(house, callerOf(request), "list captures")
        const { limit, after } = pageAsked(request.query)
        const { status } = request.query as { status?: string }
        const alerts = await matching(house, "alert", {
          ...{ limit: limit + 1, after: after ?? "" },
          matches: alert => status === undefined || standingOf(alert) === status,
        })
        return pageOf(alerts, limit, {
          id: alert => alert.alert,
          show: alert => ({ ...alert, rule: alertTable[alert.what].rule }),
        })
      },
    },
    {
      method: "GET",
      url: "/v1/alerts/:id",
      summary:
        "Show an alert and why: rule, threshold, actual, first and last event, and of a person or organization 30 days",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "list captures")
        const alert = await recordOf(house, "alert", parameter(request, "id"))
        if (alert === null) throw new Fault("NOT_FOUND", "there is no such alert")
        return { ...alert, ended_at: await endOf(house, alert), ...(await whyOf(house, alert)) }
      },
    },
    {
      method: "POST",
      url: "/v1/alerts/:id/acknowledgement",
      summary: "Say that an alert was seen, and what came of it",
      access: "signed",
      status: 201,
      body: withOpenings(statements.acknowledgement),
      answer: request => acknowledge(house, callerOf(request), parameter(request, "id")),
    },
    {
      method: "POST",
      url: "/v1/alerts/:id/closing",
      summary: "End an alert, with its outcome and why",
      access: "signed",
      status: 201,
      body: withOpenings(statements.closing),
      answer: request => closeAlert(house, callerOf(request), parameter(request, "id")),
    },
  ]
}

function standingOf(alert: Records["alert"]): "open" | "acknowledged" | "closed" {
  if (alert.closed !== undefined) return "closed"
  return isOpen(alert) ? "open" : "acknowledged"
}

/** When a silence was over; `null` while it lasts, and for every other alert. */
async function endOf(house: House, { what, reader, last_at }: Records["alert"]): Promise<string | null> {
  const held = what === "reader_silent" ? await recordOf(house, "reader", reader ?? "") : null
  if (held === null) return null
  const heard_ms = await lastHeard_ms(house, held)
  return heard_ms > Date.parse(last_at) ? new Date(heard_ms).toISOString() : null
}

/** What crossed what, by which entries, and how the last days of whom it is about were. */
async function whyOf(house: House, alert: Records["alert"]) {
  const { rule, threshold, actual } = alertTable[alert.what]
  const about = alert.subject ?? ""
  const isSomebody = about.startsWith("per_") || about.startsWith("org_")
  return {
    ...{ rule, threshold: threshold(alert), actual: actual(alert) },
    first_event: await eventAt(house, alert.entry),
    last_event: await eventAt(house, alert.last_entry),
    last_days: isSomebody ? await lastDays(house, about) : null,
  }
}

async function eventAt(house: House, index: number) {
  const [row] = await house.ledger.entries(index, index + 1)
  const entry = row === undefined ? null : parseEntry(row.bytes)
  return entry === null ? null : { entry: index, at: entry.at, sentence: sentenceOf(entry) }
}
