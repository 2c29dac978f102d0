import { access, open, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { flushFolder, hasCode, nullIfAbsent } from "../durable.ts"
import { Fault } from "../fault.ts"
import { writeWhole } from "../whole-file.ts"

/** Numbers are taken from the file this many at a time: a crash leaves a gap, never a number twice. */
const reserve = 64
/** What the file says when an agent's spool counts instead. */
const claimed = "spool\n"

/** A reader's own count, kept beside its key: every number is used at most once, over restarts too. */
export class Sequence {
  readonly #file: string
  #next: number
  #reserved: number
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(file: string, next: number) {
    this.#file = file
    this.#next = next
    this.#reserved = next
  }

  /** @throws Fault CONFIG for a file that holds no number, CONFLICT where an agent's spool counts. */
  static async open(file: string): Promise<Sequence> {
    const text = (await readFile(file, "utf8").catch(nullIfAbsent)) ?? "1\n"
    if (text === claimed)
      throw new Fault("CONFLICT", "an agent's spool counts this reader's numbers; nothing was sent", {
        next: "sallyport lane watch, with that spool",
      })
    return new Sequence(file, parseNext(text, file))
  }

  /** The next number, durable before it is given. */
  take(): Promise<number> {
    const turn = this.#turn.then(async () => {
      if (this.#next >= this.#reserved) await this.#write((this.#reserved = this.#next + reserve))
      return this.#next++
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** Gives back what was reserved and not used. */
  async close(): Promise<void> {
    await this.#turn
    await this.#write(this.#next)
  }

  async #write(next: number): Promise<void> {
    const handle = await open(this.#file, "w", 0o600)
    await handle.writeFile(`${next}\n`)
    await handle.sync()
    await handle.close()
  }
}

export interface Claim {
  readonly sequenceFile: string
  readonly spool: { readonly folder: string }
  /** The operator's word, or `null`. */
  readonly nextNumber: number | null
}

/**
 * The least number that a spool may use next; one that has begun may know a higher one.
 * @throws Fault CONFIG where the numbers in use are not known: a spool counts this reader, and it is not this one.
 */
export async function leastNumber({ sequenceFile, spool, nextNumber }: Claim): Promise<number> {
  const text = await readFile(sequenceFile, "utf8").catch(nullIfAbsent)
  if (nextNumber !== null) return nextNumber
  if (text !== claimed) return text === null ? 1 : parseNext(text, sequenceFile)
  const hasBegun = await access(join(spool.folder, "marks")).then(
    () => true,
    () => false,
  )
  if (hasBegun) return 1
  throw new Fault("CONFIG", "this reader's numbers are counted by a spool, and not by this one", {
    next: "--next-number N, one more than the vault's last of this reader, if that spool is lost",
  })
}

/** Hands a reader's count over to its spool, which is open already, for good: from now on `lane send` refuses. */
export async function claimNumbers(sequenceFile: string): Promise<void> {
  const text = await readFile(sequenceFile, "utf8").catch(nullIfAbsent)
  if (text === claimed) return
  try {
    await writeWhole(sequenceFile, claimed, 0o600)
    await flushFolder(dirname(sequenceFile))
  } catch (error) {
    // Keys can lie where nothing can be written; then `lane send` cannot count there either.
    if (text !== null || !["EROFS", "EACCES", "EPERM"].some(code => hasCode(error, code))) throw error
  }
}

function parseNext(text: string, file: string): number {
  if (!/^[1-9]\d{0,14}\n$/.test(text))
    throw new Fault("CONFIG", `${file} does not hold the reader's next number`)
  return Number(text)
}
