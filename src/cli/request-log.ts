import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readFile } from "node:fs/promises"
import { pipeline } from "node:stream"
import { createGunzip, gunzipSync } from "node:zlib"
import { StringDecoder } from "node:string_decoder"
import { Fault } from "../fault.ts"
import { mostLine, parseLogLine, usualPerCell, type LogLine, type RefusedLine } from "../watch/log-lines.ts"

/** A line of a log of requests: what it says, or why it is refused. */
export interface ReadLine {
  /** From 1. */
  readonly number: number
  readonly text: string
  readonly line: LogLine | RefusedLine
}

/** Lines of a file that are refused, by code, and where the first stand. */
export class Refusals {
  readonly counts = new Map<string, number>()
  readonly first: string[] = []
  readonly #most = 20

  add(file: string, number: number, code: string): void {
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1)
    if (this.first.length < this.#most) this.first.push(`${file}:${number}: ${code}`)
  }

  get size(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Where the first lie, and how many there are of each code. */
  lines(): string[] {
    if (this.size === 0) return []
    const counted = [...this.counts].map(([code, count]) => `${count} ${code}`).join(", ")
    return [...this.first, `${this.size} lines refused, the others went on: ${counted}`]
  }
}

/** The lines of a log of requests, plain or gzipped, as they stream by. @throws Fault WATCH_LOG for a file that cannot be read. */
export async function* readLog(file: string): AsyncGenerator<ReadLine> {
  let perCell = usualPerCell
  for await (const { number, text } of textLines(file)) {
    if (text === "") continue
    const line = parseLogLine(text, perCell)
    if (line.k === "meta") perCell = line.perCell
    yield { number, text, line }
  }
}

/** Lines of text. One that is longer than a line may be comes as its beginning, which is longer too; memory holds one line. */
export async function* textLines(file: string): AsyncGenerator<{ number: number; text: string }> {
  const decoder = new StringDecoder("utf8")
  let [rest, number] = ["", 0]
  try {
    for await (const chunk of bytesOf(file)) {
      const parts = (rest + decoder.write(chunk)).split("\n")
      rest = (parts.pop() ?? "").slice(0, mostLine + 1)
      for (const text of parts)
        yield { number: (number += 1), text: text.endsWith("\r") ? text.slice(0, -1) : text }
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault(
      "WATCH_LOG",
      `${file} cannot be read beyond line ${number}: ${(cause as Error).message}`,
      { cause },
    )
  }
  rest += decoder.end()
  if (rest !== "") yield { number: number + 1, text: rest }
}

function bytesOf(file: string): AsyncIterable<Buffer> {
  const stream = createReadStream(file)
  if (!file.endsWith(".gz")) return stream
  const unzipped = createGunzip()
  // Errors of either end the iteration; the callback only has to be there.
  pipeline(stream, unzipped, () => undefined)
  return unzipped
}

const mostFile_bytes = 256 * 1024 * 1024

/** A whole file, unzipped. @throws Fault WATCH_LOG for one that cannot be read or has over 256 MB. */
export async function wholeText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file)
    return (file.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: mostFile_bytes }) : bytes).toString(
      "utf8",
    )
  } catch (cause) {
    throw new Fault("WATCH_LOG", `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** SHA-256 of a file's bytes as they lie there. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256")
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  } catch (cause) {
    throw new Fault("WATCH_LOG", `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  return hash.digest("hex")
}
