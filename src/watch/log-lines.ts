import { fingerprint } from "./fingerprint.ts"
import type { LoggedRequest, WorkOrder } from "./guard.ts"

/** One line of a log of requests, understood. The truth that a simulated log carries (`gt`) is not in it. */
export type LogLine =
  | { readonly k: "meta"; readonly perCell: number }
  | { readonly k: "org"; readonly organization: number }
  | {
      readonly k: "principal"
      readonly principal: number
      readonly organization: number
      readonly zone_h: number
    }
  | { readonly k: "wo"; readonly order: WorkOrder }
  | { readonly k: "req"; readonly request: LoggedRequest }

/** Why a line is refused. */
export type LineCode = "LINE_LONG" | "LINE_JSON" | "LINE_KIND" | "LINE_FIELD"

export interface RefusedLine {
  readonly k: "refused"
  readonly code: LineCode
  /** What it was to be, where that could be seen. */
  readonly kind: string | null
}

/** Characters of one line: a work order of 100,000 images fits. */
export const mostLine = 1024 * 1024

/** Images of one lane-day, where no `meta` line says otherwise. */
export const usualPerCell = 320

type Fields = Readonly<Record<string, unknown>>

class Wrong extends Error {}

/**
 * Reads one line of the format of `docs/formats/watch.md`. Unknown fields are not looked at.
 * @param perCell  images of a lane-day: which one an image is of.
 */
export function parseLogLine(text: string, perCell: number): LogLine | RefusedLine {
  if (text.length > mostLine) return { k: "refused", code: "LINE_LONG", kind: null }
  const fields = objectOf(text)
  if (fields === null) return { k: "refused", code: "LINE_JSON", kind: null }
  const kind = typeof fields.k === "string" ? fields.k : null
  const parse = kind !== null && Object.hasOwn(parsers, kind) ? parsers[kind as keyof typeof parsers] : null
  if (parse === null) return { k: "refused", code: "LINE_KIND", kind }
  try {
    return parse(fields, perCell)
  } catch (error) {
    if (error instanceof Wrong) return { k: "refused", code: "LINE_FIELD", kind }
    throw error
  }
}

/** @returns `null` for anything that is no JSON object. */
export function objectOf(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null
  } catch {
    return null
  }
}

const parsers = {
  meta: (fields: Fields): LogLine => ({ k: "meta", perCell: whole(fields.perCell ?? usualPerCell, 1, 1e6) }),
  org: (fields: Fields): LogLine => ({ k: "org", organization: id(fields.org) }),
  principal: (fields: Fields): LogLine => ({
    ...{ k: "principal", principal: id(fields.principal), organization: id(fields.org) },
    zone_h: whole(fields.tz ?? 0, -14, 14),
  }),
  wo: (fields: Fields): LogLine => ({ k: "wo", order: orderOf(fields) }),
  req: (fields: Fields, perCell: number): LogLine => ({ k: "req", request: requestOf(fields, perCell) }),
}

function orderOf(fields: Fields): WorkOrder {
  return {
    wo: id(fields.wo),
    organization: id(fields.org),
    principal: id(fields.principal),
    purpose: word(fields.purpose),
    kinds: word(fields.kinds),
    need: whole(fields.need, 0, 1e9),
    budget: whole(fields.budget, 0, 1e9),
    open_ms: time(fields.open),
    close_ms: time(fields.close),
    cells: ids(fields.cells),
    manifest: ids(fields.manifest ?? []),
  }
}

function requestOf(fields: Fields, perCell: number): LoggedRequest {
  const image = id(fields.image)
  const wo = fields.wo === null || fields.wo === -1 || fields.wo === undefined ? null : id(fields.wo)
  return {
    at_ms: time(fields.t),
    organization: id(fields.org),
    principal: id(fields.principal),
    wo,
    purpose: word(fields.purpose),
    image,
    cell: Math.floor(image / perCell),
    port: id(fields.port),
    place: image % perCell,
    kind: word(fields.kind),
    network: String(whole(fields.net, -1e9, 1e9)),
    device: String(whole(fields.device, -1e9, 1e9)),
    exists: fields.exists !== false,
  }
}

function whole(value: unknown, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) throw new Wrong()
  return value as number
}

const id = (value: unknown) => whole(value, 0, 2 ** 40)
const time = (value: unknown) => whole(value, 0, 1e14)

function word(value: unknown): string {
  if (typeof value !== "string" || value.length > 64) throw new Wrong()
  return value
}

function ids(value: unknown): number[] {
  if (!Array.isArray(value) || value.length > 100_000) throw new Wrong()
  return value.map(id)
}

/** What the adapter needs of one object's name: the folder is the lane-day, the trailing number its place. */
export function requestOfObject(of: {
  readonly at_ms: number
  readonly principal: number
  readonly organization: number
  readonly key: string
  readonly network: string
  readonly device: string
}): LoggedRequest {
  const { key, ...who } = of
  const folder = key.slice(0, key.lastIndexOf("/") + 1)
  const number = /(\d{1,9})[^0-9]*$/.exec(key)?.[1] ?? "0"
  return {
    ...who,
    ...{ wo: null, purpose: "", kind: "", exists: true, place: Number(number) },
    image: fingerprint(key),
    cell: fingerprint(folder),
    port: fingerprint(key.split("/")[0] ?? ""),
  }
}
