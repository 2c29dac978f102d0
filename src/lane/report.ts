import { base64, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import type { Health } from "./health.ts"
import type { Journal, Noted } from "./journal.ts"
import type { LaneReader } from "./seal.ts"
import type { Spool } from "./spool.ts"
import type { Wire } from "./wire.ts"

export const reportType = "application/vnd.sallyport.lane-report"
const firstLine = "sallyport-lane-report/v1"
const mostEvents = 64
const every_ms = 60_000
const unknown_ms = 900_000
const soon_ms = 1000

export interface ReporterOptions {
  readonly reader: LaneReader
  readonly spool: Spool
  readonly health: Health
  readonly journal: Journal
  readonly wire: Wire
  readonly clock: () => number
}

/**
 * What the lane says of itself, signed by its reader's key (docs/formats/lane-report.md): numbers used and settled, what
 * waits, alarms, and the oldest events that the vault was not told yet.
 */
export function formatReport(options: Omit<ReporterOptions, "wire">, events: readonly Noted[]): Uint8Array {
  const { reader, spool, health, journal, clock } = options
  const now_ms = clock()
  const { head } = spool
  const report = {
    v: 1,
    vault: reader.vault,
    port: reader.port,
    lane: reader.lane,
    reader: reader.reader,
    at: new Date(now_ms).toISOString(),
    boot: journal.boot,
    numbered: spool.numbered,
    settled: spool.settled,
    waiting: spool.files,
    waiting_bytes: spool.bytes,
    oldest_s: head === null ? 0 : Math.max(0, Math.round((now_ms - head.since_ms) / 1000)),
    refused: spool.refused.files,
    gaps: spool.gaps.slice(0, 64).map(({ from, to }) => [from, to]),
    alarms: [...health.alarms.keys()].sort(),
    counters: { ...health.counters },
    events_folded: journal.folded,
    events,
  }
  const message = `${firstLine}\n${canonical(report)}`
  return utf8(`${message}\n${base64(reader.signer.sign(utf8(message)))}\n`)
}

/** Tells the vault: once a minute, and soon after something happened. What it was not told is kept and told again. */
export class Reporter {
  readonly #options: ReporterOptions
  #next_ms: number
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #isTaken = true

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#next_ms = options.clock() + soon_ms
  }

  /** Whether the vault takes reports at all. */
  get isTaken(): boolean {
    return this.#isTaken
  }

  start(): void {
    this.#timer = setInterval(() => void this.#turn(), soon_ms)
    this.#timer.unref()
  }

  /** Something happened: the next report is due. */
  hurry(): void {
    if (this.#isTaken) this.#next_ms = 0
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#running
  }

  async #turn(): Promise<void> {
    const { clock } = this.#options
    if (this.#running !== null || clock() < this.#next_ms) return
    this.#next_ms = clock() + every_ms
    this.#running = this.send().then(
      () => undefined,
      () => undefined,
    )
    await this.#running
    this.#running = null
  }

  /** Sends one report. @returns whether the vault took it. */
  async send(): Promise<boolean> {
    const { journal, wire, health, clock } = this.#options
    const events = journal.held.slice(0, mostEvents)
    const body = formatReport(this.#options, events)
    try {
      const answer = await wire.ask({ method: "POST", path: "/v1/lane-reports", type: reportType, body })
      const isDone = answer.status >= 200 && answer.status < 300
      // A vault of an older version has no such door: what happened stays here, and in the health of this agent.
      this.#isTaken = answer.status !== 404
      if (!this.#isTaken) this.#next_ms = clock() + unknown_ms
      if (isDone) {
        health.count("reports_sent")
        await journal.drop(events.length)
        if (journal.held.length > 0) this.hurry()
      }
      return isDone
    } catch (error) {
      if (error instanceof Fault && error.code === "NO_SERVER") return false
      throw error
    }
  }
}
