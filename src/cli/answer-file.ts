import { createHash } from "node:crypto"
import { open, readFile, type FileHandle } from "node:fs/promises"
import { canonical } from "../canonical.ts"
import { hasCode } from "../durable.ts"
import { Fault } from "../fault.ts"
import type { Plan } from "../incident/adjudication.ts"
import { answerFrom, Answers, type Answer } from "../incident/answers.ts"

/** Answers to a plan as a file: a first line that names the plan by its digest, then one answer a line, flushed each. */
export interface AnswerFile {
  readonly answers: Answers
  /** Durable once this is done. */
  add(answer: Answer): Promise<void>
  close(): Promise<void>
}

/** The most bytes of a file of answers: two people's to the largest plan. */
const maxSize_bytes = 1_000_000_000

/**
 * Opens what was answered so far, or begins it. A last line that a crash left half written is taken off.
 * @throws Fault INVALID for answers to another plan, and for a line that is none, with its number.
 */
export async function openAnswers(path: string, plan: Plan): Promise<AnswerFile> {
  const digest = createHash("sha256").update(canonical(plan)).digest("hex")
  const head = `${JSON.stringify({ v: 1, plan_sha256: digest })}\n`
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return ""
    throw error
  })
  if (text.length > maxSize_bytes) throw new Fault("INVALID", `${path} is larger than answers can be`)
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  if (whole !== "" && !whole.startsWith(head))
    throw new Fault("INVALID", `${path} holds answers to another plan; nothing was asked`, {
      next: "the plan that these answers belong to, or another file for this one",
    })
  const lines = whole.slice(head.length).split("\n").slice(0, -1)
  const answers = new Answers(lines.map((line, i) => answerOf(line, `${path}, line ${i + 2}`)))
  const handle = await open(path, whole === "" ? "w" : "r+", 0o600)
  await handle.truncate(Buffer.byteLength(whole))
  const file = new Appending(handle, Buffer.byteLength(whole))
  if (whole === "") await file.append(head)
  return {
    answers,
    async add(answer) {
      await file.append(`${JSON.stringify(answer)}\n`)
      answers.add(answer)
    },
    close: () => handle.close(),
  }
}

class Appending {
  #at: number
  readonly #handle: FileHandle

  constructor(handle: FileHandle, at: number) {
    this.#handle = handle
    this.#at = at
  }

  async append(line: string): Promise<void> {
    const { bytesWritten } = await this.#handle.write(line, this.#at, "utf8")
    await this.#handle.datasync()
    this.#at += bytesWritten
  }
}

function answerOf(line: string, where: string): Answer {
  const answer = answerFrom(jsonOf(line))
  if (answer === null) throw new Fault("INVALID", `${where}: no answer; nothing was asked`)
  return answer
}

/** The value of a JSON text, or `null`. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
