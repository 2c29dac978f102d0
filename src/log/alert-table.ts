import type { AlertState } from "./alerts.ts"

/** What crossed what, for a person who opens an alert. */
export interface AlertLine {
  /** The rule in one sentence. */
  readonly rule: string
  readonly threshold: (alert: Pick<AlertState, "detail">) => string
  /** How the newest detail says what was found. */
  readonly actual: (alert: Pick<AlertState, "detail" | "count">) => string
}

const nats = (micronats: number | undefined) => ((micronats ?? 0) / 1e6).toFixed(1)
const times = ({ count }: { readonly count: number }) => (count === 1 ? "once" : `${count} times`)
const each = { threshold: () => "each", actual: times } as const

function suspected(does: string, rule: string): AlertLine {
  return {
    rule,
    threshold: ({ detail }) => `${does} at ${nats(detail.threshold_micronats)} nats`,
    actual: ({ detail: { statistic_micronats, scope, mode } }) =>
      `${nats(statistic_micronats)} nats, the newest image ${places[scope ?? ""] ?? "somewhere"}${mode === "observe" ? "; only observed, nothing was refused" : ""}`,
  }
}

/** How an image lies to the grant, for a sentence. */
const places: Readonly<Record<string, string>> = {
  within: "within the grant",
  "over need": "beyond the grant's number",
  beside: "beside the grant's list",
  "another's": "of another's grant",
  outside: "outside of the grant",
}

/** A line for each kind of alert. The lanes' numbers: docs/formats/lane-report.md. */
export const alertTable: Readonly<Record<AlertState["what"], AlertLine>> = {
  gap: {
    rule: "A reader numbers its captures; one that is missing did not arrive.",
    threshold: () => "one missing number",
    actual: ({ detail }) => `${detail.missing ?? 0} missing`,
  },
  clock_off: {
    rule: "A lane's clock is off the vault's.",
    threshold: () => "5 s",
    actual: ({ detail }) => `${detail.offset_s ?? 0} s`,
  },
  reader_silent: {
    rule: "A reader that was heard of sends neither captures nor reports.",
    threshold: () => "reader_silent_s in config.json, 15 minutes without it",
    actual: ({ detail }) => `${detail.minutes ?? 0} minutes`,
  },
  device_replayed: {
    rule: "A number of a reader came twice, or went back: its key is copied, or its memory was set back.",
    threshold: () => "each",
    actual: ({ detail, count }) => `${times({ count })}: ${detail.why?.replaceAll("_", " ") ?? "unknown"}`,
  },
  usb_connected: {
    rule: "A USB device was connected to a lane's computer.",
    threshold: () => "each",
    actual: ({ detail: { vendor, product }, count }) =>
      vendor === undefined
        ? times({ count })
        : `${times({ count })}, vendor ${vendor}, product ${product ?? 0}`,
  },
  enclosure_opened: { rule: "A lane's cabinet was opened.", ...each },
  reader_tampered: { rule: "A reader says that it is tampered with.", ...each },
  spool_full: { rule: "A lane has no room left for captures, and acknowledges none.", ...each },
  recipients_out: { rule: "A lane has no day's key left to seal to.", ...each },
  captures_refused: { rule: "The vault refused captures of a lane.", ...each },
  vault_away: { rule: "A lane's agent does not reach the vault.", ...each },
  boxes_doubted: { rule: "A reader's boxes do not agree with what is in its picture.", ...each },
  watch_asked: suspected(
    "the watch asks",
    "What somebody asks for adds up to more like a grab than like work: he is asked why before anything more leaves.",
  ),
  watch_suspended: suspected(
    "the watch suspends",
    "After a question it went on adding up: nothing leaves to him until two people lift it.",
  ),
  message_abandoned: {
    rule: "A destination took a message for three days in no attempt; it was given up.",
    threshold: () => "3 days",
    actual: ({ detail: { event, attempts }, count }) =>
      `${times({ count })}, the newest of ${event ?? "an event"} after ${attempts ?? 0} attempts`,
  },
}
