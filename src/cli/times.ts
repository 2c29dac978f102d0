import { Fault } from "../fault.ts"

const units_ms: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Without its offset a local time means two moments, or none, on a night when the clocks change. */
const hasOffset = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/**
 * A moment from what a person types: `now`, RFC 3339, or a span such as `2h` or `3d` from `from_ms`.
 * @returns RFC 3339 UTC. @throws Fault INVALID.
 */
export function endOf(text: string, from_ms: number): string {
  const span = /^(\d{1,4})([mhd])$/.exec(text)
  const time_ms =
    text === "now"
      ? from_ms
      : span === null
        ? Date.parse(hasOffset.test(text) ? text : "")
        : from_ms + Number(span[1]) * (units_ms[span[2] ?? ""] ?? 0)
  if (!Number.isFinite(time_ms))
    throw new Fault(
      "INVALID",
      `${JSON.stringify(text.slice(0, 40))} is no time: give RFC 3339 with its offset (2026-11-01T01:30:00-05:00), now, 90m, 2h or 3d`,
    )
  return new Date(time_ms).toISOString()
}

/** A span such as `45s`, `90m`, `12h` or `7d`, in milliseconds. @throws Fault INVALID. */
export function spanOf(text: string): number {
  const span = /^(\d{1,6})([smhd])$/.exec(text)
  if (span !== null) return Number(span[1]) * (span[2] === "s" ? 1000 : (units_ms[span[2] ?? ""] ?? 0))
  throw new Fault("INVALID", `${JSON.stringify(text.slice(0, 40))} is no span: give 45s, 90m, 12h or 7d`)
}

/**
 * A moment in the past from what a person types: `now`, RFC 3339, or how long ago, such as `18d`.
 * @returns RFC 3339 UTC. @throws Fault INVALID.
 */
export function momentOf(text: string, now_ms: number): string {
  const span = /^(\d{1,4})([mhd])$/.exec(text)
  if (span === null) return endOf(text, now_ms)
  return new Date(now_ms - Number(span[1]) * (units_ms[span[2] ?? ""] ?? 0)).toISOString()
}
