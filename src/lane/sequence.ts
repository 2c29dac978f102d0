import { open, readFile } from "node:fs/promises"
import { Fault } from "../fault.ts"

/** Numbers are taken from the file this many at a time: a crash leaves a gap, never a number twice. */
const reserve = 64

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

  /** @throws Fault CONFIG for a file that holds no number. */
  static async open(file: string): Promise<Sequence> {
    const text = await readFile(file, "utf8").catch(() => "1\n")
    if (!/^[1-9]\d{0,14}\n$/.test(text))
      throw new Fault("CONFIG", `${file} does not hold the reader's next number`)
    return new Sequence(file, Number(text))
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
