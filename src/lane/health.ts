/** What an agent counts, since it started. */
export const counterNames = [
  /** Events that readers pushed, as whole requests; sent again, they count again. */
  "events_received",
  /** All of their captures are durable. */
  "events_acknowledged",
  /** Answered with 503: the reader keeps them. */
  "events_put_off",
  /** Not understood, too large, or from elsewhere. */
  "events_refused",
  /** Words of readers about themselves. */
  "events_of_health",
  /** Messages that are no passage of a vehicle. */
  "events_passed_over",
  /** Passages without a picture; they are sealed as they are. */
  "events_without_picture",
  /** Broken pictures that a passage was sealed without. */
  "pictures_broken",
  /** Times that could not be right; the time of arrival was taken. */
  "times_doubted",
  "pictures_sealed",
  "captures_spooled",
  /** Offered again and known; acknowledged with the first one's number. */
  "captures_repeated",
  "captures_admitted",
  "captures_refused",
  /** Pictures that were not taken, since something was full or no day's key was left. */
  "refused_full",
  "refused_recipients",
  /** Pictures of a folder that are left where they are: empty, too large, or too old for the vault. */
  "pictures_left",
  "sends_failed",
  "reports_sent",
] as const

export type Counter = (typeof counterNames)[number]

/** What an operator must know of; each is on or off. The first two stop the acknowledging of readers. */
export const alarmNames = [
  "spool_full",
  "recipients_out",
  "recipients_low",
  "vault_away",
  "reader_refused",
  "proof_refused",
  "captures_refused",
  "gap",
  "clock_off",
  "folder_unreadable",
] as const

export type Alarm = (typeof alarmNames)[number]

/** Moments that are told to the vault. */
export type EventName =
  | "agent_started"
  | "alarm_raised"
  | "alarm_cleared"
  | "capture_refused"
  | "gap"
  | "usb_connected"
  | "usb_disconnected"
  | "enclosure_opened"
  | "enclosure_closed"
  | "reader_said"

export type Detail = Readonly<Record<string, string | number>>

export interface LaneEvent {
  readonly at: string
  readonly what: EventName
  /** Numbers, and words of closed lists; never a plate, a name or a path. */
  readonly detail: Detail
}

export interface HealthOptions {
  readonly clock: () => number
  /** Told of every event, at once. */
  readonly told: (event: LaneEvent) => void
}

const patience_ms = 60_000

/** Counters, alarms and last moments of one agent. Holds nothing that outlives the process; the journal does. */
export class Health {
  readonly startedAt_ms: number
  readonly #options: HealthOptions
  readonly #counters: Record<Counter, number>
  readonly #alarms = new Map<Alarm, { readonly since_ms: number; readonly detail: Detail }>()
  #hinderedSince_ms: number | null = null
  lastReceived_ms: number | null = null
  lastAdmitted_ms: number | null = null
  /** The reader's clock less ours at its last event, the way included. */
  readerOffset_ms: number | null = null

  constructor(options: HealthOptions) {
    this.#options = options
    this.startedAt_ms = options.clock()
    this.#counters = Object.fromEntries(counterNames.map(name => [name, 0])) as Record<Counter, number>
  }

  get counters(): Readonly<Record<Counter, number>> {
    return this.#counters
  }

  get alarms(): ReadonlyMap<Alarm, { readonly since_ms: number; readonly detail: Detail }> {
    return this.#alarms
  }

  count(name: Counter, by = 1): void {
    this.#counters[name] += by
  }

  tell(what: EventName, detail: Detail): void {
    this.#options.told({ at: new Date(this.#options.clock()).toISOString(), what, detail })
  }

  /** Once, until it is cleared. */
  raise(alarm: Alarm, detail: Detail = {}): void {
    if (this.#alarms.has(alarm)) return
    this.#alarms.set(alarm, { since_ms: this.#options.clock(), detail })
    this.tell("alarm_raised", { alarm, ...detail })
  }

  clear(alarm: Alarm): void {
    const held = this.#alarms.get(alarm)
    if (held === undefined) return
    this.#alarms.delete(alarm)
    this.tell("alarm_cleared", { alarm, after_s: Math.round((this.#options.clock() - held.since_ms) / 1000) })
  }

  /** Raised while it holds. */
  hold(alarm: Alarm, detail: Detail | null): void {
    if (detail === null) this.clear(alarm)
    else this.raise(alarm, detail)
  }

  admitted(): void {
    this.count("captures_admitted")
    this.lastAdmitted_ms = this.#options.clock()
    this.#hinderedSince_ms = null
    for (const alarm of ["vault_away", "reader_refused", "proof_refused"] as const) this.clear(alarm)
  }

  refused(sequence: number, code: string): void {
    this.count("captures_refused")
    this.tell("capture_refused", { sequence, code })
    this.raise("captures_refused")
  }

  /** Sending failed. A vault that is away is worth an alarm only after a minute; the other hindrances at once. */
  hindered(why: "vault_away" | "reader_refused" | "proof_refused"): void {
    const now_ms = this.#options.clock()
    this.count("sends_failed")
    this.#hinderedSince_ms ??= now_ms
    if (why !== "vault_away" || now_ms - this.#hinderedSince_ms >= patience_ms) this.raise(why)
  }
}
