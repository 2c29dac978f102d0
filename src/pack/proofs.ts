import { equal, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { parseEntry, type Entry } from "../log/kinds.ts"
import { leafHash } from "../tlog/hash.ts"
import type { Stored } from "./archive.ts"
import type { ProvingTiles } from "./proof-tiles.ts"

/** `entries/0000.ndjson` and on: an entry a line, `{entry, index}`, ascending; the pack's tiles prove them. */

export interface ProvedEntry {
  readonly index: number
  readonly entry: Entry
}

/** Lines of one member; the last may have fewer. */
export const linesEach = 1024

export function isEntries(name: string): boolean {
  return name.startsWith("entries/")
}

export function entriesName(nth: number): string {
  return `entries/${String(nth).padStart(4, "0")}.ndjson`
}

export function entryLine(index: number, bytes: Uint8Array): string {
  return `${canonical({ entry: textOf(bytes), index })}\n`
}

/** What is wrong with a member, and in which. */
export interface WrongMember {
  readonly member: string
  readonly why: string
}

/** The entries of these members, each proved to be in the tree; ends with the first that is not. */
export async function* provedEntries(
  members: readonly Stored[],
  tiles: ProvingTiles,
): AsyncGenerator<ProvedEntry | WrongMember> {
  let before = -1
  for (const [nth, { name, read }] of members.entries()) {
    const wrong = (why: string) => ({ member: name, why })
    const text = textOf(await read())
    if (name !== entriesName(nth)) return yield wrong("it is not the next member of entries")
    if (text === null || !text.endsWith("\n")) return yield wrong("it is not lines of JSON")
    const lines = text.split("\n").slice(0, -1)
    const isFull = nth === members.length - 1 ? lines.length <= linesEach : lines.length === linesEach
    if (!isFull) return yield wrong(`it has ${lines.length} lines: all but the last have ${linesEach}`)
    for (const [i, line] of lines.entries()) {
      const one = entryOf(line)
      if (typeof one === "string") return yield wrong(`line ${i + 1}: ${one}`)
      if (one.index <= before) return yield wrong(`line ${i + 1}: it is out of order`)
      before = one.index
      const hash = one.index < tiles.size ? await tiles.leaf(one.index) : new Uint8Array()
      if ("path" in hash) return yield { member: `log/${hash.path}`, why: hash.why }
      if (!equal(hash, leafHash(one.bytes)))
        return yield wrong(`line ${i + 1}: entry ${one.index} is not in the signed tree`)
      yield { index: one.index, entry: one.entry }
    }
  }
}

function entryOf(
  line: string,
): { readonly index: number; readonly bytes: Uint8Array; readonly entry: Entry } | string {
  const value = parsed(line)
  if (value === null || canonical(value) !== line) return "it is not canonical"
  const { entry: text, index } = value
  if (typeof text !== "string" || typeof index !== "number" || !Number.isSafeInteger(index) || index < 0)
    return "it has no entry with its index"
  const bytes = utf8(text)
  const entry = parseEntry(bytes)
  return entry === null ? "it is no entry of a known kind" : { index, bytes, entry }
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
