import type { Model } from "./model.ts"
import { whole } from "./model.ts"
import { at, type PersonState } from "./state.ts"
import { orderSymbols, scopeOfSymbol, scopes } from "./symbols.ts"

const second_ms = 1_000
const minute_ms = 60_000
const hour_ms = 3_600_000
const day_ms = 86_400_000

/** How each scope is said of images. */
const said: Readonly<Record<(typeof scopes)[number], string>> = {
  within: "within the work order",
  "over need": "of the work order beyond its need",
  beside: "beside the work order, in its lanes and days",
  "another's": "of another's work order",
  outside: "outside the work order",
  unknown: "in an unusual order and pace",
}

/**
 * Why the watch suspects a person, in one sentence with its numbers: what speaks most against him since his evidence last
 * rose from nothing, over which time, and how often honest requests do that.
 */
export function whyOf(model: Model, { cells }: PersonState, now_ms: number): string {
  const images = cells[at.images] ?? 0
  const since = span(Math.max(0, now_ms - (cells[at.rose_ms] ?? now_ms)))
  const kinds = cells[at.otherKinds] ?? 0
  const [scope, count] = strongest(cells)
  const session = cells[at.parts + 1] ?? 0
  const gave = (((cells[at.parts] ?? 0) + session) / 1e6).toFixed(1)
  const what =
    kinds > count
      ? `${plural(kinds, images)} of a kind that the work order does not name`
      : `${plural(count, images)} ${said[scope]}`
  const usual =
    kinds > count ? shareOf(model, symbol => symbol < 6 && symbol % 2 === 1) : shareOfScope(model, scope)
  const place = session > 1e6 ? "; from a network, device or hour that is new" : ""
  return `${what} in ${since}${usual}${place}: ${gave} nats`
}

const plural = (count: number, of: number) => `${count} of ${of} ${of === 1 ? "image" : "images"}`

/** The scope beyond the order that was met most; in logs without orders, `unknown`. */
function strongest(cells: Float64Array): [scope: (typeof scopes)[number], count: number] {
  let most: [(typeof scopes)[number], number] = ["outside", 0]
  for (const [i, scope] of scopes.entries()) {
    const count = cells[at.scopes + i] ?? 0
    if (scope !== "within" && scope !== "over need" && count > most[1]) most = [scope, count]
  }
  return most
}

function shareOfScope(model: Model, scope: (typeof scopes)[number]): string {
  if (scope === "unknown") return ""
  return shareOf(model, symbol => scopes[scopeOfSymbol(symbol)] === scope)
}

function shareOf({ file }: Model, holds: (symbol: number) => boolean): string {
  const parts = orderSymbols.reduce(
    (sum, _, symbol) => sum + (holds(symbol) ? (file.shares[symbol] ?? 0) : 0),
    0,
  )
  return `, which ${((100 * parts) / whole).toFixed(2)} % of honest requests do`
}

function span(length_ms: number): string {
  if (length_ms < 2 * minute_ms) return `${Math.round(length_ms / second_ms)} s`
  if (length_ms < 2 * hour_ms) return `${Math.round(length_ms / minute_ms)} minutes`
  if (length_ms < 2 * day_ms) return `${Math.round(length_ms / hour_ms)} hours`
  return `${Math.round(length_ms / day_ms)} days`
}
