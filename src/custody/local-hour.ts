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
