import { parse } from "csv-parse/sync"
import type { Readable, Writable } from "node:stream"
import { Fault } from "../fault.ts"
import { keyOf, type Pair, type Plan } from "../incident/adjudication.ts"
import {
  answerFrom,
  findingsOf,
  nextFor,
  type Answer,
  type AnswerWord,
  type Findings,
} from "../incident/answers.ts"
import type { LooksNeeded } from "../incident/looks.ts"
import { jsonOf, type AnswerFile } from "./answer-file.ts"

/** Are these two the same person? One key an answer, on a terminal; or answers that a file brings. */

/** How a pair is shown. What is recognizable is shown on demand alone, and by who may. */
export interface Showing {
  /** Lines that show the pair as silhouettes: nobody is recognized by them. */
  silhouettes(pair: Pair): Promise<readonly string[]>
  /** Lines that say where the two pictures are, once they may be looked at; whatever that costs is done by then. */
  pictures(pair: Pair): Promise<readonly string[]>
}

export interface Session {
  readonly plan: Plan
  readonly file: AnswerFile
  /** Who answers. */
  readonly by: string
  readonly needed: LooksNeeded
}

export interface Terminal {
  readonly input: Readable & { isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown }
  readonly output: Writable
}

const words: Readonly<Record<string, AnswerWord>> = { s: "same", d: "different", u: "unsure", n: "no-face" }

const help = "s same  d different  u unsure  n the first shows nobody  p pictures  b back  q save and quit"

/**
 * Asks pair after pair until there is none for this person, or he quits; each answer is durable before the next pair is
 * shown, so that nothing is lost and whoever comes back goes on.
 * @returns how many answers were given.
 */
export async function adjudicate(session: Session, terminal: Terminal, showing: Showing): Promise<number> {
  const keys = keysFrom(terminal)
  const say = (...lines: readonly string[]) => terminal.output.write(lines.map(line => `${line}\n`).join(""))
  const given: number[] = []
  let nth = nextOf(session, 0)
  let isSaid = false
  try {
    while (nth !== null) {
      const pair = pairAt(session.plan, nth)
      if (!isSaid)
        say("", `${nth + 1} of ${session.plan.pairs.length}`, ...(await showing.silhouettes(pair)), help)
      isSaid = true
      const key = await keys.next()
      if (key === null || key === "q") break
      const word = words[key]
      if (word !== undefined) {
        await session.file.add({ subject: pair.subject, other: pair.other, by: session.by, answer: word })
        say(word)
        given.push(nth)
        nth = nextOf(session, 0)
        isSaid = false
      } else if (key === "b" && given.length > 0) {
        nth = given.pop() ?? nth
        isSaid = false
      } else if (key === "p") say(...(await showing.pictures(pair)))
    }
  } finally {
    keys.end()
  }
  say(
    "",
    nth === null ? "There is nothing more for you to answer." : "Saved; the same command goes on from here.",
  )
  return given.length
}

function nextOf({ plan, file, by, needed }: Session, from: number): number | null {
  return nextFor(plan, file.answers, { by, needed, from })
}

function pairAt(plan: Plan, nth: number): Pair {
  const pair = plan.pairs[nth]
  if (pair === undefined) throw new Fault("INVALID", "the plan has no such pair")
  return pair
}

interface Keys {
  /** `null` at the end of what is typed, and for Ctrl-C. */
  next(): Promise<string | null>
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
  if (input.isTTY === true) input.setRawMode?.(true)
  input.on("data", hear).on("end", over)
  return {
    async next() {
      while (waiting.length === 0 && !isOver) await new Promise<void>(resolve => (wake = resolve))
      const key = waiting.shift() ?? null
      return key === interrupt ? null : key
    },
    end() {
      if (input.isTTY === true) input.setRawMode?.(false)
      input.off("data", hear).off("end", over).pause()
    },
  }
}

/**
 * Answers out of a file: JSON lines of subject, other and answer, or CSV with these columns. All are taken, or none.
 * @throws Fault INVALID, with the line, for what is no answer to a pair of the plan.
 */
export async function takeAnswers({ plan, file, by }: Session, text: string): Promise<number> {
  const pairs = new Map(plan.pairs.map(pair => [keyOf(pair), pair]))
  const answers = rowsOf(text).map((row, i): Answer => {
    const given = answerFrom(typeof row === "object" && row !== null ? { ...row, by } : null)
    const pair = given === null ? undefined : pairs.get(keyOf(given))
    if (given === null || pair === undefined)
      throw new Fault("INVALID", `answer ${i + 1} is none to a pair of the plan; nothing was taken`, {
        next: "subject, other and one of same, different, unsure, no-face",
      })
    if (given.answer === "no-face" && given.subject !== pair.subject)
      throw new Fault("INVALID", `answer ${i + 1}: no-face is said of the plan's subject; nothing was taken`)
    return { ...given, subject: pair.subject, other: pair.other }
  })
  for (const answer of answers) await file.add(answer)
  return answers.length
}

function rowsOf(text: string): unknown[] {
  if (text.trimStart().startsWith("{")) {
    const lines = text.split("\n").filter(line => line.trim() !== "")
    return lines.map(jsonOf)
  }
  try {
    return parse(text, { columns: true, skip_empty_lines: true, trim: true })
  } catch (cause) {
    throw new Fault("INVALID", "the answers are neither JSON lines nor CSV; nothing was taken", { cause })
  }
}

/** What is known so far, as lines for a person. */
export function findingLines(plan: Plan, findings: Findings): string[] {
  const { sampled, controls, agreement, open } = findings
  const wrong = ({ wrong, looks }: Findings["controls"]["foils"]) => `${wrong} of ${looks}`
  return [
    `${sampled.length} of ${plan.sampled.length} sampled faces are done; ${open} pairs wait for an answer.`,
    `Wrong looks at pairs of known truth: ${wrong(controls.duplicates)} of one person, ${wrong(controls.foils)} of two.`,
    agreement.kappa === null
      ? "Two people have not yet answered the same known pairs."
      : `Two people agreed on ${agreement.agreed} of ${agreement.pairs} known pairs: kappa ${agreement.kappa.toFixed(2)}.`,
  ]
}

/** The findings of a session. */
export function findings({ plan, file, needed }: Omit<Session, "by">): Findings {
  return findingsOf(plan, file.answers, needed)
}
