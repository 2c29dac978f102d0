import { createHash, createHmac } from "node:crypto"
import { open, readdir, readFile, rm, type FileHandle } from "node:fs/promises"
import { join } from "node:path"
import { flushFolder } from "../durable.ts"
import { assert, Fault } from "../fault.ts"
import type { Signer } from "../ed25519.ts"

/**
 * What has been taken in already, so that a picture that is offered twice is sent once: by a reader that missed our answer, or
 * by a camera folder whose pictures stay. Each is known by a keyed digest, never by name or content: names hold plates.
 *
 * A record binds a digest to a number *before* the capture is spooled under that number. After a crash it counts only if
 * that number was used, and of several records for one number the last: so digest and capture become durable as one.
 */

const record_bytes = 32
const segmentRecords = 16_384

export interface TakenOptions {
  readonly folder: string
  /** The highest number in use; records beyond it are of captures that never were. */
  readonly last: number
  /** How many are remembered; of those younger than `least_s`, all. */
  readonly most: number
  readonly least_s: number
}

interface Segment {
  readonly name: string
  readonly identities: string[]
  /** Of each identity, at the same place. */
  readonly sequences: number[]
  newest_s: number
}

export class Taken {
  readonly #options: TakenOptions
  readonly #numbers: Map<string, number>
  readonly #segments: Segment[]
  #file: FileHandle | null = null
  #records = 0

  private constructor(options: TakenOptions, segments: Segment[], numbers: Map<string, number>) {
    this.#options = options
    this.#segments = segments
    this.#numbers = numbers
  }

  static async open(options: TakenOptions): Promise<Taken> {
    const names = (await readdir(options.folder)).filter(name => /^\d{10}$/.test(name)).sort()
    const byNumber = new Map<number, string>()
    const segments: Segment[] = []
    for (const name of names) {
      const segment = emptySegment(name)
      for (const record of parseRecords(await readFile(join(options.folder, name)))) {
        if (record.sequence > options.last) continue
        remember(segment, record)
        byNumber.set(record.sequence, record.identity)
      }
      if (segment.sequences.length > 0) segments.push(segment)
      else await rm(join(options.folder, name), { force: true })
    }
    const numbers = new Map([...byNumber].map(([sequence, identity]) => [identity, sequence]))
    const taken = new Taken(options, segments, numbers)
    await taken.#begin()
    return taken
  }

  /** The number under which it was taken, or `null`. */
  numberOf(identity: string): number | null {
    return this.#numbers.get(identity) ?? null
  }

  /**
   * Durable before it returns; it counts from `confirm` on.
   * @throws Fault STORE_FULL where as many young ones are remembered as may be; the system's ENOSPC on a full disk.
   */
  async record(identity: string, sequence: number, at_ms: number): Promise<void> {
    assert(this.#file !== null, "the list of what was taken is open")
    await this.#forget(at_ms)
    if (this.#records >= segmentRecords) await this.#begin()
    const at = this.#records * record_bytes
    try {
      await this.#file.write(formatRecord(identity, sequence, at_ms), 0, record_bytes, at)
      await this.#file.datasync()
    } catch (error) {
      // What was written of it must not stay behind as half a record.
      await this.#file.truncate(at).catch(() => undefined)
      throw error
    }
    this.#records += 1
  }

  confirm(identity: string, sequence: number, at_ms: number): void {
    const segment = this.#segments.at(-1)
    assert(segment !== undefined, "a record is in a segment")
    this.#numbers.set(identity, sequence)
    remember(segment, { identity, sequence, at_s: Math.floor(at_ms / 1000) })
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = null
  }

  /** A new segment at each start: what a crash left at an old one's end is never appended to. */
  async #begin(): Promise<void> {
    const name = String(Number(this.#segments.at(-1)?.name ?? "0") + 1).padStart(10, "0")
    const file = await open(join(this.#options.folder, name), "wx", 0o600)
    await flushFolder(this.#options.folder)
    await this.#file?.close()
    this.#file = file
    this.#records = 0
    this.#segments.push(emptySegment(name))
  }

  async #forget(now_ms: number): Promise<void> {
    while (this.#numbers.size >= this.#options.most) {
      const [oldest] = this.#segments
      if (oldest === undefined || this.#segments.length === 1) break
      if (oldest.newest_s > now_ms / 1000 - this.#options.least_s)
        throw new Fault(
          "STORE_FULL",
          `${this.#numbers.size} taken pictures are remembered, as many as may be`,
        )
      await rm(join(this.#options.folder, oldest.name), { force: true })
      this.#segments.shift()
      for (const [i, identity] of oldest.identities.entries())
        if (this.#numbers.get(identity) === oldest.sequences[i]) this.#numbers.delete(identity)
    }
  }
}

interface Remembered {
  readonly identity: string
  readonly sequence: number
  readonly at_s: number
}

function emptySegment(name: string): Segment {
  return { name, identities: [], sequences: [], newest_s: 0 }
}

function remember(segment: Segment, { identity, sequence, at_s }: Remembered): void {
  segment.identities.push(identity)
  segment.sequences.push(sequence)
  segment.newest_s = Math.max(segment.newest_s, at_s)
}

/** The function that names what was taken: a digest under a key that only this reader's key gives. */
export function identities(signer: Signer): (...parts: readonly (string | Uint8Array)[]) => string {
  const key = createHash("sha256")
    .update(signer.sign(Buffer.from("sallyport-taken/v1")))
    .digest()
  return (...parts) => {
    const mac = createHmac("sha256", key)
    for (const part of parts) {
      const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part
      mac.update(`${bytes.length}\n`).update(bytes)
    }
    return mac.digest().subarray(0, 16).toString("base64url")
  }
}

/** 16 bytes of digest, 6 of number, 4 of Unix seconds, 6 of SHA-256 over these. */
function formatRecord(identity: string, sequence: number, at_ms: number): Buffer {
  const record = Buffer.alloc(record_bytes)
  Buffer.from(identity, "base64url").copy(record, 0, 0, 16)
  record.writeUIntBE(sequence, 16, 6)
  record.writeUInt32BE(Math.floor(at_ms / 1000), 22)
  createHash("sha256").update(record.subarray(0, 26)).digest().copy(record, 26, 0, 6)
  return record
}

/** Up to the first that is cut or damaged. */
function parseRecords(bytes: Buffer): Remembered[] {
  const found: Remembered[] = []
  for (let at = 0; at + record_bytes <= bytes.length; at += record_bytes) {
    const record = bytes.subarray(at, at + record_bytes)
    const check = createHash("sha256").update(record.subarray(0, 26)).digest().subarray(0, 6)
    if (!check.equals(record.subarray(26))) break
    found.push({
      identity: record.toString("base64url", 0, 16),
      sequence: record.readUIntBE(16, 6),
      at_s: record.readUInt32BE(22),
    })
  }
  return found
}
