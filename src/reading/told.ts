import { Fault } from "../fault.ts"
import type { OtherFields } from "../seal/read.ts"
import { readLimits } from "./limits.ts"
import { isList, isObject, type Json } from "./json.ts"

/** Names whose values open doors: they are not kept, not even sealed. */
const secrets = /^(license_key|session|password|passwd|token|secret|api_?key|authorization)$/i

/** Most of unknown fields of one read, as JSON. */
const maxOther_bytes = 65_536

/**
 * An event as told, which remembers what was used of it, so that the rest is kept. Places are JSON pointers (RFC 6901)
 * below `at`. A field that is missing, `null` or an empty text is `null`. What is malformed and optional is left unused,
 * so it is kept as it was told; what is malformed and must be right is refused by place, never by value.
 */
export class Told {
  readonly #root: Json
  readonly #at: string
  readonly #used: Set<string>

  constructor(root: Json, at = "", used = new Set<string>()) {
    this.#root = root
    this.#at = at
    this.#used = used
  }

  /** The part below a place; what is used of it is used of the whole. */
  within(at: string): Told {
    return new Told(this.#root, this.#at + at, this.#used)
  }

  /** The value as it is, not counted as used. */
  look(at: string): Json {
    return valueAt(this.#root, this.#at + at) ?? null
  }

  /** Counts a place, with all below it, as used. */
  use(at: string): void {
    this.#used.add(this.#at + at)
  }

  /** The places of a list's items, or of an object's values when its names are numbers; none for anything else. */
  items(at: string): string[] {
    const value = this.look(at)
    if (isList(value)) return value.map((_, i) => `${at}/${i}`)
    const names = isObject(value) ? Object.keys(value) : []
    return names.every(name => /^\d+$/.test(name)) ? names.map(name => `${at}/${name}`) : []
  }

  /** The places of a list's items. @throws Fault READER_EVENT for more than `most`. */
  itemsUpTo(at: string, most: number): string[] {
    const places = this.items(at)
    if (places.length <= most) return places
    throw new Fault(
      "READER_EVENT",
      `the event's list ${this.#at}${at} has over ${most} items; nothing was sealed`,
    )
  }

  /** A text, or a number as text, of at most `most` characters; `null` and unused for anything else. */
  text(at: string, most: number): string | null {
    const value = this.look(at)
    const text = typeof value === "number" ? String(value) : value
    if (typeof text !== "string" || text === "" || text.length > most) return null
    this.use(at)
    return text
  }

  /** The first of several places that holds such a text. */
  firstText(places: readonly string[], most: number): string | null {
    for (const at of places) {
      const text = this.text(at, most)
      if (text !== null) return text
    }
    return null
  }

  /** A word of at most 64 characters. */
  word(...places: readonly string[]): string | null {
    return this.firstText(places, readLimits.word)
  }

  /** An id of at most 128 characters. */
  id(...places: readonly string[]): string | null {
    return this.firstText(places, readLimits.id)
  }

  /** A number, or a text that is one; `null` and unused for anything else. */
  number(at: string): number | null {
    const number = numberOf(this.look(at))
    if (number === null || Number.isNaN(number)) return null
    this.use(at)
    return number
  }

  /** A share of `whole` as 0 to 1; `null` and unused for what is no number or beyond. */
  share(at: string, whole: number): number | null {
    const number = numberOf(this.look(at))
    if (number === null || !(number >= 0 && number <= whole)) return null
    this.use(at)
    return number / whole
  }

  /**
   * Numbers that only make sense together, such as a box's.
   * @returns `null` when all are missing.
   * @throws Fault READER_EVENT when one is missing alone or is no number.
   */
  numbers(places: readonly string[]): number[] | null {
    const values = places.map(at => this.look(at))
    if (values.every(value => value === null)) return null
    const numbers = values.map(numberOf)
    const wrong = numbers.findIndex(number => number === null || Number.isNaN(number))
    if (wrong >= 0)
      throw new Fault(
        "READER_EVENT",
        `the event's field ${this.#at}${places[wrong] ?? ""} is not a number; nothing was sealed`,
      )
    for (const at of places) this.use(at)
    return numbers.map(number => number ?? 0)
  }

  /**
   * What was not used, by place in the whole event: at most 2,048 fields and 64 KiB as JSON, texts of at most 4,096
   * characters. Secrets are left out and counted.
   */
  rest(): OtherFields {
    const kept: [string, OtherFields["fields"][string]][] = []
    let left_out = 0
    let room_bytes = maxOther_bytes
    for (const [at, value] of leavesOf(valueAt(this.#root, this.#at) ?? null, this.#at, this.#used)) {
      const size_bytes = Buffer.byteLength(JSON.stringify(at) + JSON.stringify(value)) + 2
      const isSecret = at.split("/").some(name => secrets.test(name))
      const hasRoom = size_bytes <= room_bytes && kept.length < readLimits.otherFields
      if (isSecret || !hasRoom || !isKept(at, value)) left_out += 1
      else {
        room_bytes -= size_bytes
        kept.push([at, value])
      }
    }
    return { fields: Object.fromEntries(kept), left_out }
  }
}

/** Fields of several parts of an event together; of two for one place the first. */
export function together(...all: readonly OtherFields[]): OtherFields {
  const entries = all.flatMap(each => Object.entries(each.fields)).slice(0, readLimits.otherFields)
  const fields = Object.fromEntries(entries)
  const told = all.reduce((sum, each) => sum + each.left_out + Object.keys(each.fields).length, 0)
  return { fields, left_out: told - Object.keys(fields).length }
}

function isKept(at: string, value: OtherFields["fields"][string]): boolean {
  if (typeof value === "number" && !Number.isFinite(value)) return false
  const isShort = typeof value !== "string" || value.length <= readLimits.otherText
  return isShort && at.length <= readLimits.pointer
}

/** `null` for nothing, NaN for what is no number. */
function numberOf(value: Json): number | null {
  if (value === null || value === "") return null
  if (typeof value === "number") return Number.isFinite(value) ? value : NaN
  const isNumeric =
    typeof value === "string" &&
    /^\s*[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})(e[+-]?\d{1,2})?\s*$/i.test(value)
  return isNumeric ? Number(value) : NaN
}

function valueAt(root: Json, at: string): Json | undefined {
  let value: Json | undefined = root
  for (const name of at.split("/").slice(1)) {
    const key = name.replaceAll("~1", "/").replaceAll("~0", "~")
    if (isList(value)) value = /^\d{1,6}$/.test(key) ? value[Number(key)] : undefined
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

function* leavesOf(
  value: Json,
  at: string,
  used: ReadonlySet<string>,
): Generator<[string, OtherFields["fields"][string]]> {
  if (used.has(at)) return
  if (isList(value)) {
    for (const [i, each] of value.entries()) yield* leavesOf(each, `${at}/${i}`, used)
  } else if (isObject(value)) {
    for (const [name, each] of Object.entries(value))
      yield* leavesOf(each, `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, used)
  } else yield [at === "" ? "/" : at, value as OtherFields["fields"][string]]
}
