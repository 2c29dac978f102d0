import { Type } from "typebox"
import type { House } from "../custody/house.ts"
import { admit } from "../custody/admit.ts"
import { captureHours, spanOfHour } from "../custody/capture-hours.ts"
import { Fault } from "../fault.ts"
import type { CaptureFilter, CaptureRow } from "../ledger/ledger.ts"
import { id, time } from "../log/shapes.ts"
import { maxCapture_bytes } from "../seal/capture.ts"
import { parseExamination } from "../vault/findings.ts"
import { allow } from "./door.ts"
import { listQuery, pageAsked, pageOf } from "./lists.ts"
import { callerOf, parameter, type Route } from "./route.ts"

export const captureType = "application/vnd.sallyport.capture"

/** Captures as they are listed: where, when and in what state; never an image, a plate or a URL to one. */
export function captureRoutes(house: House): Route[] {
  return [
    admission(house),
    {
      method: "GET",
      url: "/v1/captures",
      summary: "List captures, oldest first",
      access: "signed",
      query: {
        ...listQuery,
        lane: Type.Optional(id("lan")),
        since: Type.Optional(time),
        until: Type.Optional(time),
        hour: Type.Optional(
          Type.String({ pattern: "^[0-9T:+-]{13,19}$", description: "of the port's clock" }),
        ),
        examined: Type.Optional(Type.String({ pattern: "^(true|false)$" })),
        /** What the examination found: `plate`: one that L2 can show. */
        has: Type.Optional(Type.String({ pattern: `^(${Object.keys(having).join("|")})$` })),
      },
      answer: async request => {
        await allow(house, callerOf(request), "list captures")
        const { limit, after } = pageAsked(request.query)
        const rows = await house.ledger.captures({
          ...filterOf(request.query),
          ...(await hourOf(house, request.query)),
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        })
        return pageOf(rows, limit, { id: row => row.id, show: shown })
      },
    },
    {
      method: "GET",
      url: "/v1/captures/:id",
      summary: "Show a capture, without its picture",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "list captures")
        const row = await house.ledger.capture(parameter(request, "id"))
        if (row === null) throw new Fault("NOT_FOUND", "there is no such capture")
        return shown(row)
      },
    },
    countsRoute(house),
  ]
}

function countsRoute(house: House): Route {
  return {
    method: "GET",
    url: "/v1/capture-counts",
    summary: "How many captures there are, by lane; between two times also by lane and hour of the port",
    access: "signed",
    query: {
      lane: Type.Optional(id("lan")),
      since: Type.Optional(time),
      until: Type.Optional(time),
    },
    answer: async request => {
      await allow(house, callerOf(request), "list captures")
      return {
        object: "list",
        data: await counts(house, request.query),
        has_more: false,
        next_cursor: null,
      }
    },
  }
}

function admission(house: House): Route {
  return {
    method: "POST",
    url: "/v1/captures",
    summary: "Admit a sealed capture; the capture file carries its reader's signature for this vault",
    access: "public",
    status: 201,
    bodyLimit_bytes: maxCapture_bytes,
    answer: request => {
      if (!Buffer.isBuffer(request.body)) throw new Fault("MEDIA_TYPE", `send ${captureType}`)
      return admit(house, request.body)
    },
  }
}

const having: Readonly<Record<string, Partial<CaptureFilter>>> = {
  plate: { plate: true },
  "no-plate": { plate: false },
  face: { face: true },
  "no-face": { face: false },
  examination: { examined: true },
  "no-examination": { examined: false },
}

function filterOf(query: unknown): Partial<CaptureFilter> {
  const { lane, since, until, examined, has } = query as Partial<
    Record<"lane" | "since" | "until" | "examined" | "has", string>
  >
  return {
    ...(lane === undefined ? {} : { lanes: [lane] }),
    ...(since === undefined ? {} : { from_ms: Date.parse(since) }),
    ...(until === undefined ? {} : { until_ms: Date.parse(until) }),
    ...(examined === undefined ? {} : { examined: examined === "true" }),
    ...(has === undefined ? {} : having[has]),
  }
}

/** An hour of the port's clock, as a span of time. */
async function hourOf(house: House, query: unknown): Promise<Partial<CaptureFilter>> {
  const { hour, lane, since, until } = query as Partial<Record<"hour" | "lane" | "since" | "until", string>>
  if (hour === undefined) return {}
  if (since !== undefined || until !== undefined)
    throw new Fault("INVALID", "give an hour, or since and until")
  return spanOfHour(house, hour, lane)
}

/** By lane; and by hour where a time is asked for. */
async function counts(house: House, query: unknown): Promise<readonly object[]> {
  const { lane, since, until } = query as Partial<Record<"lane" | "since" | "until", string>>
  const all = await house.ledger.captureCounts()
  const asked = all.filter(each => lane === undefined || each.lane === lane)
  if (since === undefined && until === undefined) return asked
  const until_ms = until === undefined ? house.log.clock() : Date.parse(until)
  const since_ms = since === undefined ? until_ms - 86_400_000 : Date.parse(since)
  const hours = await captureHours(house, { ...(lane === undefined ? {} : { lane }), since_ms, until_ms })
  return hours.map(each => {
    const { count = 0, examined = 0 } = all.find(of => of.lane === each.lane) ?? {}
    return { ...each, count, examined }
  })
}

function shown(row: CaptureRow) {
  const stored = row.findingsJson === null ? null : parseExamination(row.findingsJson)
  const found = stored?.found ?? null
  return {
    id: row.id,
    port: row.port,
    lane: row.lane,
    reader: row.reader,
    sequence: row.sequence,
    captured_at: new Date(row.capturedAt_ms).toISOString(),
    hour: row.hour,
    kind: row.kind,
    crossing: row.crossing,
    sealed_to: row.sealedTo,
    size_bytes: row.size_bytes,
    body_sha256: row.bodySha256,
    admitted: row.admitted,
    examined: row.examined,
    width_px: found?.width_px ?? null,
    height_px: found?.height_px ?? null,
    plates_found: row.plates,
    faces_found: row.faces,
    read: stored?.read ?? null,
    quality: stored?.quality ?? null,
    models: stored?.models ?? null,
  }
}
