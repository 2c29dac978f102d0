import { open, readFile, truncate } from "node:fs/promises"
import { dirname } from "node:path"
import { flushFolder, nullIfAbsent } from "../durable.ts"
import type { LaneEvent } from "./health.ts"

/** An event with its place: the run of the agent that saw it, and its number in that run, from 1. */
export interface Noted extends LaneEvent {
  readonly boot: string
  readonly n: number
}

const most = 1000

/**
 * What happened at the lane and the vault has not been told yet, oldest first, over restarts. A thousand are kept; of more,
 * the newest are folded into a count. On a full disk they are kept in memory, and written with the next one that fits.
 */
export class Journal {
  readonly #file: string
  readonly #boot: string
  readonly #unwritten: Noted[] = []
  #held: Noted[]
  #next = 1
  #folded = 0
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(file: string, boot: string, held: Noted[]) {
    this.#file = file
    this.#boot = boot
    this.#held = held
  }

  /** @param boot  a name for this run that no other has. */
  static async open(file: string, boot: string): Promise<Journal> {
    const text = await readFile(file, "utf8").catch(nullIfAbsent)
    const held = (text ?? "").split("\n").flatMap(parseLine)
    // What a crash cut off at the end would swallow the next line.
    await (await open(file, "a", 0o600)).close()
    await truncate(file, Buffer.byteLength(formatLines(held)))
    await flushFolder(dirname(file))
    return new Journal(file, boot, held)
  }

  get boot(): string {
    return this.#boot
  }

  get held(): readonly Noted[] {
    return this.#held
  }

  /** How many were not kept. */
  get folded(): number {
    return this.#folded
  }

  /** Notes it now; it is written soon. */
  add(event: LaneEvent): void {
    if (this.#held.length >= most) {
      this.#folded += 1
      return
    }
    const noted = { ...event, boot: this.#boot, n: this.#next }
    this.#next += 1
    this.#held.push(noted)
    this.#unwritten.push(noted)
    void this.#inTurn(() => this.#write())
  }

  /** Forgets the oldest, which the vault was told. */
  drop(count: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#held = this.#held.slice(count)
      await this.#rewrite()
    })
  }

  /** Resolves when what was noted is written, or could not be. */
  async settled(): Promise<void> {
    await this.#turn
  }

  async #write(): Promise<void> {
    const lines = formatLines(this.#unwritten)
    if (lines === "") return
    const handle = await open(this.#file, "a", 0o600)
    const before = (await handle.stat()).size
    try {
      await handle.writeFile(lines)
      await handle.datasync()
      this.#unwritten.length = 0
    } catch {
      // Half a line must not stay; the events are still held, and are told to the vault from memory.
      await handle.truncate(before).catch(() => undefined)
    } finally {
      await handle.close()
    }
  }

  /** Cut first and written after: a crash between tells the vault again what it knows, or keeps what was in memory only. */
  async #rewrite(): Promise<void> {
    await truncate(this.#file, 0)
    this.#unwritten.splice(0, this.#unwritten.length, ...this.#held)
    await this.#write()
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn.catch(() => undefined)
  }
}

function formatLines(events: readonly Noted[]): string {
  return events.map(event => `${JSON.stringify(event)}\n`).join("")
}

function parseLine(line: string): Noted[] {
  try {
    const value = JSON.parse(line) as Noted
    return typeof value === "object" && typeof value.what === "string" ? [value] : []
  } catch {
    return []
  }
}
