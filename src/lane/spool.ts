import { mkdir, readdir, readFile, rename, rm, stat, unlink } from "node:fs/promises"
import { join } from "node:path"
import { flushFolder, hasCode, linkNew, writeFlushed } from "../durable.ts"
import { assert, Fault } from "../fault.ts"
import { failpoint } from "../failpoint.ts"
import { Marks } from "./marks.ts"
import { Taken } from "./taken.ts"

export interface SpoolOptions {
  /** Made if it is not there; nothing else may write in it. */
  readonly folder: string
  /** Of the captures that wait, and of the refused ones that are kept. */
  readonly most_bytes: number
  readonly most_files: number
  /** The first number of a new spool; an older one knows its own. */
  readonly firstNumber: number
  /** How many pictures are remembered as taken, and those younger than `least_s` in any case. */
  readonly remembered: { readonly most: number; readonly least_s: number }
  readonly clock: () => number
  /** Told once, when the spool stops. */
  readonly stopped?: (why: Error) => void
}

export interface Waiting {
  readonly sequence: number
  readonly size_bytes: number
  readonly since_ms: number
}

/** Numbers that were used and whose captures are not there any more; both ends belong to it. */
export interface Gap {
  readonly from: number
  readonly to: number
}

export type Fullness = "bytes" | "files" | "disk" | "taken"

export type Put =
  | { readonly kind: "spooled"; readonly sequence: number }
  /** Taken before, under that number. */
  | { readonly kind: "repeat"; readonly sequence: number }
  | { readonly kind: "full"; readonly why: Fullness }

/** What the system says when there is no room; anything else that it says is not expected. */
const fullCodes = ["ENOSPC", "EDQUOT", "EFBIG"]

/**
 * Sealed captures on their way to the vault, one file each, named by their number; never anything that is not sealed.
 *
 * A number is the newest one plus one, and it is used by linking the capture's finished and flushed file to its name: number
 * and capture become durable in one step. A kill before it leaves a number that nobody saw and that the next capture takes; a
 * kill after it leaves a capture that is sent. So a crash makes no gap, and no number is used for other bytes: a capture
 * may be sent only from its file, and before the last copy of a number is removed the marks say that it was used.
 * A gap is left by what removes files behind our back, and is found at the next start.
 *
 * Anything but a full disk that fails in here has an unknown outcome: the spool stops, and a new start reads what is there.
 */
export class Spool {
  readonly #options: SpoolOptions
  readonly #marks: Marks
  readonly #taken: Taken
  readonly #waiting: Map<number, Omit<Waiting, "sequence">>
  /** What removing files behind our back left; found at the start. */
  readonly gaps: readonly Gap[]
  #last: number
  #bytes: number
  #refused: { files: number; bytes: number }
  #turn: Promise<unknown> = Promise.resolve()
  #stopped: Error | null = null
  #arrived: () => void = () => undefined

  private constructor(options: SpoolOptions, state: State) {
    this.#options = options
    this.#marks = state.marks
    this.#taken = state.taken
    this.#waiting = state.waiting
    this.#refused = state.refused
    this.#last = state.last
    this.#bytes = [...state.waiting.values()].reduce((sum, { size_bytes }) => sum + size_bytes, 0)
    this.gaps = state.gaps
  }

  /** Opens or makes a spool. One process at a time may hold it. @throws Fault CONFIG for damaged marks. */
  static async open(options: SpoolOptions): Promise<Spool> {
    return new Spool(options, await readState(options))
  }

  /** The highest number in use; 0 before the first. */
  get numbered(): number {
    return this.#last
  }

  get settled(): number {
    return this.#marks.held.settled
  }

  get files(): number {
    return this.#waiting.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get refused(): { readonly files: number; readonly bytes: number } {
    return this.#refused
  }

  /** Why it stopped, or `null`. */
  get stopped(): Error | null {
    return this.#stopped
  }

  /** What has to be sent next, or `null`. */
  get head(): Waiting | null {
    for (const [sequence, waiting] of this.#waiting) return { sequence, ...waiting }
    return null
  }

  /** The number that this was taken under, or `null`. */
  numberOf(identity: string): number | null {
    return this.#taken.numberOf(identity)
  }

  /** The bound that one more capture of this size would break, or `null`. */
  fullFor(size_bytes: number): Fullness | null {
    const { most_bytes, most_files } = this.#options
    if (this.#bytes + this.#refused.bytes + size_bytes > most_bytes) return "bytes"
    return this.#waiting.size + this.#refused.files + 1 > most_files ? "files" : null
  }

  /**
   * Gives the capture the next number and makes it durable; one after the other, in the order of the calls.
   * @param identity  of what was taken, so that it is taken once.
   * @param numbered  the capture file under a number.
   */
  put(identity: string, numbered: (sequence: number) => Uint8Array): Promise<Put> {
    return this.#inTurn(async () => {
      const known = this.#taken.numberOf(identity)
      if (known !== null) return { kind: "repeat", sequence: known }
      const sequence = this.#last + 1
      const bytes = numbered(sequence)
      const why = this.fullFor(bytes.length) ?? (await this.#prepare(identity, sequence, bytes))
      if (why !== null) return { kind: "full", why }
      await this.#use(sequence)
      const since_ms = this.#options.clock()
      this.#taken.confirm(identity, sequence, since_ms)
      this.#last = sequence
      this.#waiting.set(sequence, { size_bytes: bytes.length, since_ms })
      this.#bytes += bytes.length
      this.#arrived()
      return { kind: "spooled", sequence }
    })
  }

  /** The bytes of a waiting capture. */
  read(sequence: number): Promise<Uint8Array> {
    return readFile(fileOf(this.#options.folder, "waiting", sequence))
  }

  /** Drops the oldest capture, whose admission is proven; its number stays used. */
  settle(sequence: number): Promise<void> {
    return this.#inTurn(async () => {
      const { size_bytes } = this.#oldest(sequence)
      await this.#mark(sequence)
      failpoint("lane.marked")
      await unlink(fileOf(this.#options.folder, "waiting", sequence))
      this.#forget(sequence, size_bytes)
    })
  }

  /** Moves the oldest capture aside, which the vault will never take; it is kept, as ciphertext, and counted. */
  setAside(sequence: number): Promise<void> {
    return this.#inTurn(async () => {
      const { folder } = this.#options
      const { size_bytes } = this.#oldest(sequence)
      await rename(fileOf(folder, "waiting", sequence), fileOf(folder, "refused", sequence))
      failpoint("lane.set-aside")
      await flushFolder(join(folder, "refused"))
      await flushFolder(join(folder, "waiting"))
      await this.#mark(sequence)
      this.#refused = { files: this.#refused.files + 1, bytes: this.#refused.bytes + size_bytes }
      this.#forget(sequence, size_bytes)
    })
  }

  /** Resolves at the next capture, or after that time. */
  async arrival(timeout_ms: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, timeout_ms)
      this.#arrived = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#arrived = () => undefined
  }

  /** Ends a wait for an arrival. */
  wake(): void {
    this.#arrived()
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined)
    await this.#taken.close()
    await this.#marks.close()
  }

  /** Everything that a full disk may refuse, before the number is used. */
  async #prepare(identity: string, sequence: number, bytes: Uint8Array): Promise<Fullness | null> {
    const temporary = join(this.#options.folder, "tmp", String(sequence))
    try {
      await this.#taken.record(identity, sequence, this.#options.clock())
      failpoint("lane.recorded")
      await rm(temporary, { force: true })
      await writeFlushed(temporary, bytes)
      failpoint("lane.written")
      return null
    } catch (error) {
      await rm(temporary, { force: true })
      if (error instanceof Fault && error.code === "STORE_FULL") return "taken"
      if (fullCodes.some(code => hasCode(error, code))) return "disk"
      throw error
    }
  }

  async #use(sequence: number): Promise<void> {
    const { folder } = this.#options
    const temporary = join(folder, "tmp", String(sequence))
    const isNew = await linkNew(temporary, fileOf(folder, "waiting", sequence))
    assert(isNew, "a number that was never used has no file")
    failpoint("lane.linked")
    await flushFolder(join(folder, "waiting"))
    failpoint("lane.flushed")
    await unlink(temporary)
  }

  #mark(settled: number): Promise<void> {
    return this.#marks.write({ numbered: this.#last, settled })
  }

  #oldest(sequence: number): Omit<Waiting, "sequence"> {
    assert(this.head?.sequence === sequence, "captures leave the spool in the order of their numbers")
    return this.head
  }

  #forget(sequence: number, size_bytes: number): void {
    this.#waiting.delete(sequence)
    this.#bytes -= size_bytes
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      if (this.#stopped !== null) throw this.#stopped
      try {
        return await work()
      } catch (error) {
        this.#stopped = error instanceof Error ? error : new Error("the spool failed")
        this.#options.stopped?.(this.#stopped)
        throw error
      }
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}

interface State {
  readonly marks: Marks
  readonly taken: Taken
  readonly waiting: Map<number, Omit<Waiting, "sequence">>
  readonly refused: { readonly files: number; readonly bytes: number }
  readonly last: number
  readonly gaps: readonly Gap[]
}

async function readState({ folder, firstNumber, remembered }: SpoolOptions): Promise<State> {
  await makeFolders(folder)
  const found = await filesIn(folder, "waiting")
  const aside = await filesIn(folder, "refused")
  const newest = Math.max(firstNumber - 1, ...numbersOf(found), ...numbersOf(aside))
  const oldest = Math.min(newest + 1, ...numbersOf(found))
  const marks = await Marks.open(join(folder, "marks"), { numbered: newest, settled: oldest - 1 })
  const { settled, numbered } = marks.held
  const last = Math.max(numbered, newest)
  const waiting = new Map<number, Omit<Waiting, "sequence">>()
  for (const [sequence, held] of found) {
    if (sequence > settled) waiting.set(sequence, held)
    // Proven before the last end, and not yet removed.
    else await unlink(fileOf(folder, "waiting", sequence))
  }
  const there = [...waiting.keys(), ...aside.keys()].sort((a, b) => a - b)
  const gaps = gapsBetween(settled, last, there)
  const taken = await Taken.open({ folder: join(folder, "taken"), last, ...remembered })
  const kept = [...aside.values()]
  const refused = { files: kept.length, bytes: kept.reduce((sum, { size_bytes }) => sum + size_bytes, 0) }
  return { marks, taken, waiting, refused, last, gaps }
}

/**
 * After a crash what is named may not be durable yet: flushed before anything is told of it. Folders that are there stay, since
 * a full disk would not let us make them anew.
 */
async function makeFolders(folder: string): Promise<void> {
  for (const name of ["tmp", "waiting", "refused", "taken"]) {
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
    await flushFolder(join(folder, name))
  }
  await flushFolder(folder)
  for (const name of await readdir(join(folder, "tmp"))) await unlink(join(folder, "tmp", name))
}

async function filesIn(
  folder: string,
  room: "waiting" | "refused",
): Promise<Map<number, Omit<Waiting, "sequence">>> {
  const names = (await readdir(join(folder, room))).filter(name => /^\d{16}\.capture$/.test(name)).sort()
  const found = new Map<number, Omit<Waiting, "sequence">>()
  for (const name of names) {
    const { size, mtimeMs } = await stat(join(folder, room, name))
    found.set(Number(name.slice(0, 16)), { size_bytes: size, since_ms: mtimeMs })
  }
  return found
}

/** Spread arguments end at some hundred thousand. */
function numbersOf(found: ReadonlyMap<number, unknown>): number[] {
  const all = [...found.keys()]
  return all.length === 0 ? [] : [all[0] ?? 0, all.at(-1) ?? 0]
}

/** The numbers of (after, to] that are not there. @param there  ascending. */
function gapsBetween(after: number, to: number, there: readonly number[]): Gap[] {
  const ends = [...there.filter(sequence => sequence > after), to + 1]
  return ends.flatMap((end, i) => {
    const from = (i === 0 ? after : (ends[i - 1] ?? after)) + 1
    return from < end ? [{ from, to: end - 1 }] : []
  })
}

function fileOf(folder: string, room: "waiting" | "refused", sequence: number): string {
  return join(folder, room, `${String(sequence).padStart(16, "0")}.capture`)
}
