const clocks = new Map<string, Intl.DateTimeFormat>()

/** Names are known in any case, so that there are more of them than zones. */
const mostClocks = 256

/**
 * How far a zone's clock is ahead of UTC at a moment, in milliseconds, whole seconds.
 * @param zone  IANA name, or an offset such as +08:00.
 * @throws RangeError for a zone that this machine's time zone data do not have.
 */
export function zoneOffset(at_ms: number, zone: string): number {
  const parts = new Map(
    clockOf(zone)
      .formatToParts(at_ms)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? NaN
  const face_ms = Date.UTC(
    ...([part("year"), part("month") - 1, part("day")] as const),
    ...([part("hour"), part("minute"), part("second")] as const),
  )
  return face_ms - Math.floor(at_ms / 1000) * 1000
}

function clockOf(zone: string): Intl.DateTimeFormat {
  const held = clocks.get(zone)
  if (held !== undefined) return held
  const made = new Intl.DateTimeFormat("en-US", {
    ...({ timeZone: zone, calendar: "gregory", hourCycle: "h23" } as const),
    ...({ year: "numeric", month: "numeric", day: "numeric" } as const),
    ...({ hour: "numeric", minute: "numeric", second: "numeric" } as const),
  })
  if (clocks.size >= mostClocks) clocks.clear()
  clocks.set(zone, made)
  return made
}
