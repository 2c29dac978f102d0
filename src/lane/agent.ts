import { randomBytes } from "node:crypto"
import { mkdir, statfs } from "node:fs/promises"
import { join } from "node:path"
import { failpoint } from "../failpoint.ts"
import { Health } from "./health.ts"
import { Intake } from "./intake.ts"
import { Journal } from "./journal.ts"
import { holdSpool } from "./lock.ts"
import { Pace } from "./pace.ts"
import { RecipientDays } from "./recipient-days.ts"
import { Reporter } from "./report.ts"
import type { LaneReader } from "./seal.ts"
import { Sender } from "./sender.ts"
import { claimNumbers, leastNumber } from "./sequence.ts"
import { Spool, type SpoolOptions } from "./spool.ts"
import { identities } from "./taken.ts"
import { Tamper } from "./tamper.ts"
import { Wire } from "./wire.ts"

export interface AgentOptions {
  readonly reader: LaneReader
  /** The custodian's 32-byte public key. */
  readonly custodian: Uint8Array
  /** Verification keys of the vault's log, pinned. */
  readonly logs: readonly string[]
  readonly server: string
  readonly spool: Pick<SpoolOptions, "folder" | "most_bytes" | "most_files" | "remembered">
  /** The file in which `lane send` counts this reader's numbers; the spool counts on from it. */
  readonly sequenceFile: string
  /** The reader's next number, where the spool that knew it is lost; else `null`. */
  readonly nextNumber: number | null
  /** The longest wait between two tries to send, ms. */
  readonly longestWait_ms: number
  readonly usb: string
  readonly enclosure: string | null
  readonly clock: () => number
}

const send_timeout_ms = 60_000
const tick_ms = 2000
const refresh_ms = 3_600_000
const refreshSoon_ms = 60_000
const mostOffset_ms = 5000
const room_bytes = 4 * 1024 * 1024

/** Everything of an agent but where its pictures come from. Holds a reader's own key and public keys, nothing that opens. */
export class Agent {
  readonly options: AgentOptions
  readonly health: Health
  readonly intake: Intake
  readonly spool: Spool
  readonly recipients: RecipientDays
  readonly identify: (...parts: readonly (string | Uint8Array)[]) => string
  readonly #parts: Parts
  #refreshed_ms = 0
  #sending: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  private constructor(options: AgentOptions, parts: Parts) {
    const { spool, recipients, health } = parts
    const { reader, clock } = options
    this.options = options
    this.health = health
    this.spool = spool
    this.recipients = recipients
    this.intake = new Intake({ spool, reader, recipients, health, clock })
    this.identify = identities(reader.signer)
    this.#parts = parts
  }

  /** Opens the spool and starts to send. @throws Fault BUSY where another agent holds it, CONFIG for lost numbers. */
  static async open(options: AgentOptions): Promise<Agent> {
    const parts = await openParts(options)
    const agent = new Agent(options, parts)
    parts.health.tell("agent_started", { numbered: parts.spool.numbered, settled: parts.spool.settled })
    for (const { from, to } of parts.spool.gaps) parts.health.tell("gap", { from, to })
    parts.health.hold("gap", parts.spool.gaps.length > 0 ? { gaps: parts.spool.gaps.length } : null)
    parts.health.hold("captures_refused", parts.spool.refused.files > 0 ? {} : null)
    // Before anything is sent: settling what follows a gap makes the gap's numbers old, and a crash would leave it untold.
    await parts.journal.settled()
    await agent.#refresh()
    await parts.tamper.start()
    parts.reporter.start()
    agent.#timer = setInterval(() => void agent.#tick(), tick_ms)
    agent.#timer.unref()
    return agent
  }

  get wire(): Wire {
    return this.#parts.wire
  }

  get journal(): Journal {
    return this.#parts.journal
  }

  get usbDevices(): number | null {
    return this.#parts.tamper.devices
  }

  /** Whether the vault takes reports. */
  get isHeard(): boolean {
    return this.#parts.reporter.isTaken
  }

  /** Sends until `close`. @throws what stopped the spool: end the process, and start it again. */
  async run(): Promise<void> {
    this.#sending = this.#parts.sender.run()
    await Promise.race([this.#sending, this.#parts.broken])
  }

  /** Ends what is under way; a capture whose answer is not awaited is sent again at the next start. */
  async close(): Promise<void> {
    const { sender, tamper, reporter, journal, wire, spool, free } = this.#parts
    if (this.#timer !== null) clearInterval(this.#timer)
    sender.end()
    tamper.close()
    wire.close()
    await this.#sending.catch(() => undefined)
    await reporter.close()
    await spool.close()
    await journal.settled()
    await free()
  }

  /** What nobody calls for: alarms that end by themselves, and keys that run out. */
  async #tick(): Promise<void> {
    const { health, spool, wire, recipients } = this.#parts
    failpoint("lane.tick")
    recipients.check()
    const offset_ms = wire.clockOffset_ms
    const isOff = offset_ms !== null && Math.abs(offset_ms) > mostOffset_ms
    health.hold("clock_off", isOff ? { offset_s: Math.round(offset_ms / 1000) } : null)
    if (health.alarms.has("spool_full") && (await this.#hasRoom())) health.clear("spool_full")
    const due_ms = recipients.daysLeft < 3 ? refreshSoon_ms : refresh_ms
    if (spool.stopped === null && this.options.clock() - this.#refreshed_ms > due_ms) await this.#refresh()
  }

  async #hasRoom(): Promise<boolean> {
    const disk = await statfs(this.options.spool.folder).catch(() => null)
    return this.spool.fullFor(room_bytes) === null && (disk?.bavail ?? 0) * (disk?.bsize ?? 0) > room_bytes
  }

  async #refresh(): Promise<void> {
    this.#refreshed_ms = this.options.clock()
    await this.recipients.refresh()
  }
}

interface Parts {
  readonly wire: Wire
  readonly health: Health
  readonly journal: Journal
  readonly spool: Spool
  readonly recipients: RecipientDays
  readonly sender: Sender
  readonly reporter: Reporter
  readonly tamper: Tamper
  /** Rejects when the spool stops. */
  readonly broken: Promise<never>
  readonly free: () => Promise<void>
}

async function openParts(options: AgentOptions): Promise<Parts> {
  const { reader, clock, server, logs } = options
  const { folder } = options.spool
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const free = await holdSpool(folder)
  const journal = await Journal.open(join(folder, "journal"), randomBytes(8).toString("hex"))
  let hurry: () => void = () => undefined
  const health = new Health({
    clock,
    told: event => {
      journal.add(event)
      hurry()
    },
  })
  let stop: (why: Error) => void = () => undefined
  const broken = new Promise<never>((_, reject) => (stop = reject))
  broken.catch(() => undefined)
  const firstNumber = await leastNumber(options)
  const spool = await Spool.open({ ...options.spool, firstNumber, clock, stopped: why => stop(why) })
  await claimNumbers(options.sequenceFile)
  const wire = new Wire(server, send_timeout_ms)
  const recipients = await RecipientDays.open({
    file: join(folder, "recipients"),
    vault: reader.vault,
    ...{ custodian: options.custodian, wire, health, clock },
  })
  const pace = new Pace({ least_ms: 250, most_ms: options.longestWait_ms, random: Math.random })
  const sender = new Sender({ spool, wire, pace, health, logs, publicKey: reader.signer.publicKey })
  const reporter = new Reporter({ reader, spool, health, journal, wire, clock })
  hurry = () => reporter.hurry()
  const tamper = new Tamper({ usb: options.usb, enclosure: options.enclosure, health })
  return { wire, health, journal, spool, recipients, sender, reporter, tamper, broken, free }
}
