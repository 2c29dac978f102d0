import { parse } from "csv-parse/sync"
import type { Readable, Writable } from "node:stream"
import type { AskedPair } from "../custody/adjudication.ts"
import { Fault } from "../fault.ts"
import { answerWords, type AnswerWord } from "../incident/answers.ts"
import { jsonOf, type Journal, type Said } from "./answer-journal.ts"

/** Are these two the same person? One key an answer, on a terminal; or answers that a file brings. */

/** How a pair is shown. What is recognizable is shown on demand alone, and by who may. */
export interface Showing {
  /** Lines that show the pair as silhouettes: nobody is recognized by them. */
  silhouettes(pair: AskedPair): readonly string[]
  /** Lines that say where the two pictures are, once they may be looked at; whatever that costs is done by then. */
  pictures(pair: AskedPair): Promise<readonly string[]>
}

/** Who asks, and takes the answers. */
export interface Asking {
  /** The next pairs for this person; none when there is nothing more for him. */
  next(): Promise<{ readonly pairs: readonly AskedPair[]; readonly planned: number }>
  /** Takes answers as one entry. */
  take(said: readonly Said[]): Promise<unknown>
}

export interface Terminal {
  readonly input: Readable & { isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown }
  readonly output: Writable
}

const words: Readonly<Record<string, AnswerWord>> = { s: "same", d: "different", u: "unsure", n: "no-face" }

const help = "s same  d different  u unsure  n the first shows nobody  p pictures  b back  q save and quit"

/**
 * Asks pair after pair until there is none for this person, or he quits. Each answer is durable before the next pair is shown; the
 * vault is given them block by block, and at the end, so that nothing is lost and whoever comes back goes on.
 * @returns how many answers were given to the vault.
 */
export async function adjudicate(
  of: { readonly asking: Asking; readonly journal: Journal; readonly showing: Showing },
  terminal: Terminal,
): Promise<number> {
  const { asking, journal } = of
  const keys = keysFrom(terminal)
  const say = (...lines: readonly string[]) => terminal.output.write(lines.map(line => `${line}\n`).join(""))
  let given = await handOver(asking, journal)
  let isOver = false
  try {
    while (!isOver) {
      const block = await asking.next()
      if (block.pairs.length === 0) break
      isOver = await askBlock({ ...of, ...block, keys, say })
      given += await handOver(asking, journal)
    }
  } finally {
    keys.end()
  }
  say("", isOver ? "Saved; the same command goes on from here." : "There is nothing more for you to answer.")
  return given
}

/** What was said and not yet taken. */
async function handOver(asking: Asking, journal: Journal): Promise<number> {
  const said = journal.said()
  if (said.length > 0) await asking.take(said)
  await journal.clear()
  return said.length
}

interface Block {
  readonly pairs: readonly AskedPair[]
  readonly planned: number
  readonly journal: Journal
  readonly showing: Showing
  readonly keys: Keys
  readonly say: (...lines: readonly string[]) => unknown
}

/** @returns whether the person quits. */
async function askBlock({ pairs, planned, journal, showing, keys, say }: Block): Promise<boolean> {
  let [nth, shown] = [0, -1]
  for (let pair = pairs[nth]; pair !== undefined; pair = pairs[nth]) {
    if (shown !== nth) say("", `pair ${pair.pair + 1} of ${planned}`, ...showing.silhouettes(pair), help)
    shown = nth
    const key = await keys.next()
    if (key === null || key === "q") return true
    const word = words[key]
    if (word !== undefined) {
      await journal.add({ pair: pair.pair, answer: word })
      say(word)
      nth += 1
    } else if (key === "b" && nth > 0) nth -= 1
    else if (key === "p") say(...(await keys.aside(() => showing.pictures(pair))))
  }
  return false
}

interface Keys {
  /** `null` at the end of what is typed, and for Ctrl-C. */
  next(): Promise<string | null>
  /** Leaves the terminal to other work, which may ask something itself: what is typed meanwhile is no key. */
  aside<T>(work: () => Promise<T>): Promise<T>
  end(): void
}

const interrupt = "\u0003"

/** Single keys as they are pressed. */
function keysFrom({ input }: Terminal): Keys {
  const waiting: string[] = []
  let isOver = false
  let wake: () => void = () => undefined
  const hear = (chunk: Buffer | string) => {
    waiting.push(...chunk.toString().toLowerCase())
    wake()
  }
  const over = () => {
    isOver = true
    wake()
  }
  const listen = () => {
    if (input.isTTY === true) input.setRawMode?.(true)
    input.on("data", hear).resume()
  }
  const rest = () => {
    if (input.isTTY === true) input.setRawMode?.(false)
    input.off("data", hear).pause()
  }
  input.on("end", over)
  listen()
  return {
    async next() {
      while (waiting.length === 0 && !isOver) await new Promise<void>(resolve => (wake = resolve))
      const key = waiting.shift() ?? null
      return key === interrupt ? null : key
    },
    async aside(work) {
      rest()
      try {
        return await work()
      } finally {
        listen()
      }
    },
    end() {
      rest()
      input.off("end", over)
    },
  }
}

/**
 * Answers out of a file: JSON lines of pair (its place in the plan, from 0) and answer, or CSV with these columns.
 * @param pairs  how many the plan has.
 * @throws Fault INVALID, with the line, for what is no answer to one of them: then none is taken.
 */
export function answersIn(text: string, pairs: number): Said[] {
  const said = rowsOf(text).map((row, i): Said => {
    const { pair, answer } = (row ?? {}) as { pair?: unknown; answer?: unknown }
    const place = typeof pair === "string" && /^\d{1,7}$/.test(pair) ? Number(pair) : pair
    const word = answerWords.find(each => each === answer)
    const isPlace = typeof place === "number" && Number.isSafeInteger(place) && place >= 0 && place < pairs
    if (!isPlace || word === undefined)
      throw new Fault("INVALID", `answer ${i + 1} is none; nothing was taken`, {
        next: `pair, its number in the plan (from 0, below ${pairs}), and answer, one of ${answerWords.join(", ")}`,
      })
    return { pair: place, answer: word }
  })
  const seen = new Set<number>()
  const twice = said.find(({ pair }) => seen.size === seen.add(pair).size)
  if (twice !== undefined)
    throw new Fault("INVALID", `the pair ${twice.pair} is answered twice; nothing was taken`)
  return said
}

function rowsOf(text: string): unknown[] {
  if (text.trimStart().startsWith("{")) {
    const lines = text.split("\n").filter(line => line.trim() !== "")
    return lines.map(jsonOf)
  }
  try {
    return parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true })
  } catch (cause) {
    throw new Fault("INVALID", "the answers are neither JSON lines nor CSV; nothing was taken", { cause })
  }
}
