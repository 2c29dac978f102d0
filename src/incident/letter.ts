import { assert } from "../fault.ts"
import type { Level } from "../grant/level.ts"

/**
 * A letter's code: 80 bits in Crockford's alphabet and a check character (docs/formats/letters.md). Whoever has no letter
 * cannot make one up, and one that was copied wrongly is told from one that is not ours.
 */

/** Crockford's base 32: no I, L, O, U. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const symbols = 16
export const codeBits = 80

/** x times the root α of x⁵ + x² + 1 in GF(32); α has the order 31, so the powers up to 16 differ. */
function timesRoot(x: number): number {
  const doubled = x << 1
  return (doubled & 32) === 0 ? doubled : doubled ^ 0b100101
}

/** Σ αⁱ⁺¹·xᵢ: one wrong character, or two that changed places, give another sum. */
function checkOf(values: readonly number[]): number {
  // Horner's rule from the last: ((…)·α + x₁)·α + x₀)·α.
  return values.reduceRight((sum, value) => timesRoot(sum ^ value), 0)
}

/**
 * The code of a letter, such as `7K3Q-9M2X-0TVB-C4RD-W`.
 * @param mac  keyed by the vault over incident and capture; its first 80 bits are used.
 */
export function formatCode(mac: Uint8Array): string {
  assert(mac.length >= codeBits / 8, "a letter's code takes 80 bits")
  let bits = 0n
  for (const byte of mac.subarray(0, codeBits / 8)) bits = (bits << 8n) | BigInt(byte)
  const values = Array.from({ length: symbols }, (_, i) => Number((bits >> BigInt(75 - 5 * i)) & 31n))
  const text = [...values, checkOf(values)].map(value => alphabet[value]).join("")
  return text.replace(/(.{4})(?=.)/g, "$1-")
}

/**
 * The code as `formatCode` writes it, of what somebody typed: small letters, spaces and dashes anywhere, O for 0, I and L
 * for 1. `null` for what is no code: of another length, with other characters, or whose check character does not fit.
 */
export function parseCode(typed: string): string | null {
  if (typed.length > 64) return null
  const plain = typed.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1")
  const values = [...plain].map(character => alphabet.indexOf(character))
  if (values.length !== symbols + 1 || values.includes(-1)) return null
  if (checkOf(values.slice(0, symbols)) !== values[symbols]) return null
  return plain.replace(/(.{4})(?=.)/g, "$1-")
}

/** What a letter tells of one picture that left: no image, no plate, no face, no name of a traveler. */
export interface Letter {
  readonly code: string
  readonly incident: string
  readonly capture: string
  /** Local hour of the port with its offset: `2018-11-02T14-06:00`. */
  readonly hour: string
  readonly port: string
  readonly lane: string
  /** What all who had it could see of it, put together. */
  readonly level: Level
  /** In words. */
  readonly visible: string
  /** Names of the organizations that had a copy or a look. */
  readonly organizations: readonly string[]
}

/** What each level shows, in words for the person in the picture. */
export const visibleAt: Readonly<Record<Level, string>> = {
  L0: "nothing of the picture",
  L1: "outlines only; no plate and no face",
  L2: "the license plate and what is around it; faces were covered",
  L3: "faces; the license plate was covered",
  L4: "the whole picture, with plate and faces",
}

const columns = [
  "code",
  "incident",
  "capture",
  "hour",
  "port",
  "lane",
  "level",
  "visible",
  "organizations",
] as const

/** Letters as CSV, a piece at a time: RFC 4180, with a head. Cost: one piece a letter, nothing is held. */
export function* lettersCsv(letters: Iterable<Letter>): Generator<string> {
  yield `${columns.join(",")}\r\n`
  for (const letter of letters) yield `${columns.map(name => csvField(valueOf(letter, name))).join(",")}\r\n`
}

/** Letters as lines of JSON. */
export function* lettersNdjson(letters: Iterable<Letter>): Generator<string> {
  for (const letter of letters)
    yield `${JSON.stringify(Object.fromEntries(columns.map(name => [name, letter[name]])))}\n`
}

function valueOf(letter: Letter, name: (typeof columns)[number]): string {
  return name === "organizations" ? letter.organizations.join("; ") : letter[name]
}

/**
 * A field of RFC 4180. A spreadsheet takes what begins with `= + - @`, a tab or a return for a formula: such a field is begun
 * with an apostrophe, which spreadsheets do not show.
 */
export function csvField(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
