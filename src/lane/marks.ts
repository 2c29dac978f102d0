import { createHash } from "node:crypto"
import { open, type FileHandle } from "node:fs/promises"
import { dirname } from "node:path"
import { flushFolder, hasCode } from "../durable.ts"
import { assert, Fault } from "../fault.ts"

/** How far a spool has come. */
export interface Spooled {
  /** The highest number that was ever given to a capture. */
  readonly numbered: number
  /** Every number up to this one is settled: admitted with a proof, refused and kept, or reported missing. */
  readonly settled: number
}

const slot_bytes = 512
const pattern = /^sallyport-marks\/v1 turn=(\d{1,15}) numbered=(\d{1,15}) settled=(\d{1,15}) ([0-9a-f]{64})\n/

/**
 * The two numbers that outlive the spool's files. They are written in place, into two slots by turns, each with its digest: a
 * write that is cut leaves the other slot, and a full disk cannot stop a write for which the room was taken at the start.
 * So a spool that is full can always be emptied.
 */
export class Marks {
  readonly #file: FileHandle
  #turn: number
  #held: Spooled

  private constructor(file: FileHandle, turn: number, held: Spooled) {
    this.#file = file
    this.#turn = turn
    this.#held = held
  }

  /**
   * @param first  what a new file holds.
   * @throws Fault CONFIG where neither slot can be read: the numbers that were used are unknown.
   */
  static async open(file: string, first: Spooled): Promise<Marks> {
    const found = await open(file, "r+").catch((error: unknown) => {
      if (hasCode(error, "ENOENT")) return null
      throw error
    })
    if (found === null) return Marks.#make(file, first)
    const bytes = Buffer.alloc(2 * slot_bytes)
    await found.read(bytes, 0, bytes.length, 0)
    const slots = [0, 1].map(slot => parseSlot(bytes.toString("latin1", slot * slot_bytes)))
    const newest = slots.reduce((a, b) => ((b?.turn ?? -1) > (a?.turn ?? -1) ? b : a))
    if (newest == null) {
      await found.close()
      throw new Fault("CONFIG", `${file} is damaged: which numbers were used is not known`, {
        next: "remove it, and name the reader's next number with --next-number",
      })
    }
    return new Marks(found, newest.turn, newest)
  }

  static async #make(file: string, first: Spooled): Promise<Marks> {
    const handle = await open(file, "wx+", 0o600)
    await handle.write(Buffer.concat([formatSlot(0, first), formatSlot(1, first)]), 0, 2 * slot_bytes, 0)
    await handle.sync()
    await flushFolder(dirname(file))
    return new Marks(handle, 1, first)
  }

  get held(): Spooled {
    return this.#held
  }

  /** Durable when it returns; after a failure the marks on disk are the old or the new ones, and the caller has to stop. */
  async write(next: Spooled): Promise<void> {
    const { numbered, settled } = this.#held
    assert(next.numbered >= numbered && next.settled >= settled, "marks never go back")
    assert(next.settled <= next.numbered, "what is settled has a number")
    const turn = this.#turn + 1
    await this.#file.write(formatSlot(turn, next), 0, slot_bytes, (turn % 2) * slot_bytes)
    await this.#file.datasync()
    this.#turn = turn
    this.#held = next
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

function formatSlot(turn: number, { numbered, settled }: Spooled): Buffer {
  const text = `sallyport-marks/v1 turn=${turn} numbered=${numbered} settled=${settled}`
  const line = `${text} ${digest(text)}\n`
  return Buffer.from(line.padEnd(slot_bytes - 1, " ") + "\n", "latin1")
}

function parseSlot(text: string): ({ readonly turn: number } & Spooled) | null {
  const [line = "", turn, numbered, settled, sha256] = pattern.exec(text) ?? []
  if (sha256 !== digest(line.slice(0, -66))) return null
  return { turn: Number(turn), numbered: Number(numbered), settled: Number(settled) }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}
