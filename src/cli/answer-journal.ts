import { open, readFile, type FileHandle } from "node:fs/promises"
import { hasCode } from "../durable.ts"
import { Fault } from "../fault.ts"
import { answerWords, type AnswerWord } from "../incident/answers.ts"

/** What one person says of one pair of a plan. */
export interface Said {
  readonly pair: number
  readonly answer: AnswerWord
}

/** Answers that the vault was not given yet, as a file: a first line that names the linkage, then one answer a line, flushed each. */
export interface Journal {
  /** The newest of each pair. */
  said(): readonly Said[]
  /** Durable once this is done. */
  add(said: Said): Promise<void>
  /** The vault has them. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** A journal holds what was said since the last block. */
const maxSize_bytes = 1_000_000

/**
 * Opens what was said and not handed over, or begins it. A last line that a crash left half written is taken off.
 * @throws Fault INVALID for answers to another linkage or of another person, and for a line that is none, with its number.
 */
export async function openJournal(
  path: string,
  of: { readonly linkage: string; readonly by: string },
): Promise<Journal> {
  const head = `${JSON.stringify({ v: 1, ...of })}\n`
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return ""
    throw error
  })
  if (text.length > maxSize_bytes) throw new Fault("INVALID", `${path} is larger than answers can be`)
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  if (whole !== "" && !whole.startsWith(head))
    throw new Fault("INVALID", `${path} holds answers of another linkage or person; nothing was asked`, {
      next: "--out with another folder",
    })
  const lines = whole.slice(head.length).split("\n").slice(0, -1)
  const said = new Map<number, Said>()
  for (const [i, line] of lines.entries()) {
    const one = saidOf(line, `${path}, line ${i + 2}`)
    said.set(one.pair, one)
  }
  const handle = await open(path, whole === "" ? "w" : "r+", 0o600)
  await handle.truncate(Buffer.byteLength(whole))
  const file = new Appending(handle, Buffer.byteLength(whole))
  if (whole === "") await file.append(head)
  return {
    said: () => [...said.values()],
    async add(one) {
      await file.append(`${JSON.stringify(one)}\n`)
      said.set(one.pair, one)
    },
    async clear() {
      await file.cut(Buffer.byteLength(head))
      said.clear()
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

  async cut(size_bytes: number): Promise<void> {
    await this.#handle.truncate(size_bytes)
    await this.#handle.datasync()
    this.#at = size_bytes
  }
}

function saidOf(line: string, where: string): Said {
  const { pair, answer } = (jsonOf(line) ?? {}) as Partial<Said>
  if (!Number.isSafeInteger(pair) || !answerWords.some(each => each === answer))
    throw new Fault("INVALID", `${where}: no answer; nothing was asked`)
  return { pair: pair as number, answer: answer as AnswerWord }
}

/** The value of a JSON text, or `null`. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
