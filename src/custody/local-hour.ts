const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * The hour of a moment as the port's clock shows it, with the offset from UTC: `2026-11-24T04-06:00`.
 * @param at    RFC 3339.
 * @param zone  IANA time zone of the port.
 */
export function localHour(at: string, zone: string): string {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(new Date(at))
      .map(part => [part.type, part.value]),
  )
  const offset = (parts.get("timeZoneName") ?? "GMT").slice("GMT".length)
  return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}T${parts.get("hour")}${offset === "" ? "+00:00" : offset}`
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const held = formats.get(zone)
  if (held !== undefined) return held
  const made = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    timeZoneName: "longOffset",
  })
  formats.set(zone, made)
  return made
}

const quarter_ms = 900_000
const hourForm = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3])([+-]\d\d:\d\d)?$/

/**
 * When an hour of a port's clock began and ended; one that comes twice, on the night when clocks go back, spans both.
 * @param hour  `2026-11-24T21`, or with its offset from UTC.
 * @returns `null` for what is no hour, and for one that the clocks skip.
 */
export function hourSpan(
  hour: string,
  zone: string,
): { readonly from_ms: number; readonly until_ms: number } | null {
  const offset = hourForm.exec(hour)?.[2]
  const named_ms = hourForm.test(hour) ? Date.parse(`${hour.slice(0, 13)}:00:00${offset ?? "Z"}`) : NaN
  if (!Number.isFinite(named_ms)) return null
  if (offset !== undefined) return { from_ms: named_ms, until_ms: named_ms + 3_600_000 }
  // No zone is further than 15 hours from UTC, and all change by quarters.
  const quarters = Array.from({ length: 124 }, (_, i) => named_ms + (i - 62) * quarter_ms)
  const within = quarters.filter(at_ms => localHour(new Date(at_ms).toISOString(), zone).startsWith(hour))
  const [first, last] = [within[0], within.at(-1)]
  return first === undefined || last === undefined ? null : { from_ms: first, until_ms: last + quarter_ms }
}
