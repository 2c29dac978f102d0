import { readFile } from "node:fs/promises"
import { dirname } from "node:path"
import { flushFolder, nullIfAbsent } from "../durable.ts"
import { Fault } from "../fault.ts"
import { writeWhole } from "../whole-file.ts"
import type { Health } from "./health.ts"
import { readRecipients, type Recipients } from "./recipients.ts"
import type { Wire } from "./wire.ts"

export interface RecipientDaysOptions {
  /** Where the newest list is kept, as the vault served it. */
  readonly file: string
  readonly vault: string
  /** The 32-byte public key. */
  readonly custodian: Uint8Array
  readonly wire: Wire
  readonly health: Health
  readonly clock: () => number
}

const low_days = 3
const day_ms = 86_400_000

/**
 * The public keys of the days, kept on disk, so that a lane seals for as many days as the custodian signed while the vault is
 * away. Only what the custodian signed is taken, from the network as from the disk.
 */
export class RecipientDays {
  readonly #options: RecipientDaysOptions
  #recipients: Recipients

  private constructor(options: RecipientDaysOptions, recipients: Recipients) {
    this.#options = options
    this.#recipients = recipients
  }

  static async open(options: RecipientDaysOptions): Promise<RecipientDays> {
    const list = await readFile(options.file, "utf8").catch(nullIfAbsent)
    const held = list === null ? null : readList(options, list)
    return new RecipientDays(options, held ?? new Map())
  }

  /** The recipient of that moment's day, or `null`. */
  at(time_ms: number): string | null {
    return this.#recipients.get(dayOf(time_ms)) ?? null
  }

  /** Whole days after today that the list covers without a hole; −1 where today has no key. */
  get daysLeft(): number {
    const now_ms = this.#options.clock()
    let days = -1
    while (this.#recipients.has(dayOf(now_ms + (days + 1) * day_ms))) days += 1
    return days
  }

  /** Asks the vault for its list; an older one than is held, by the last day, is left. Nothing happens while it is away. */
  async refresh(): Promise<void> {
    const { wire, file } = this.#options
    const answer = await wire.ask({ method: "GET", path: "/v1/recipients" }).catch((error: unknown) => {
      if (error instanceof Fault && error.code === "NO_SERVER") return null
      throw error
    })
    const found = answer?.status === 200 ? readList(this.#options, answer.text) : null
    if (answer !== null && found !== null && lastDay(found) >= lastDay(this.#recipients)) {
      if (!isSame(found, this.#recipients)) {
        // A full disk leaves the old list on it: the new one is used all the same, and written at the next turn.
        const isKept = await keep(file, answer.text)
        if (isKept || this.#recipients.size === 0 || this.daysLeft < low_days) this.#recipients = found
      }
    }
    this.check()
  }

  /** Raises and clears the alarms. */
  check(): void {
    const { health } = this.#options
    const { daysLeft } = this
    health.hold("recipients_out", daysLeft < 0 ? {} : null)
    health.hold("recipients_low", daysLeft >= 0 && daysLeft < low_days ? { days: daysLeft } : null)
  }
}

/** What this custodian signed for this vault, or `null`. */
function readList({ vault, custodian }: RecipientDaysOptions, list: string): Recipients | null {
  try {
    return readRecipients(list, vault, custodian)
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

async function keep(file: string, list: string): Promise<boolean> {
  try {
    await writeWhole(file, list, 0o600)
    await flushFolder(dirname(file))
    return true
  } catch {
    return false
  }
}

function lastDay(recipients: Recipients): string {
  return [...recipients.keys()].reduce((a, b) => (a > b ? a : b), "")
}

function isSame(a: Recipients, b: Recipients): boolean {
  return a.size === b.size && [...a].every(([day, recipient]) => b.get(day) === recipient)
}

function dayOf(time_ms: number): string {
  return new Date(time_ms).toISOString().slice(0, 10)
}
