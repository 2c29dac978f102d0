import { sha256 } from "@noble/hashes/sha2.js"
import { base64, concat, fromBase64, hex, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import { parseHeader, splitAgeFile } from "./header.ts"
import type { Mode } from "./recipient.ts"

/** What is public of a capture, signed by its reader. Never a plate. */
export interface CaptureHeader {
  readonly v: 1
  readonly capture: string
  /** The origin of the vault's log: a capture for one vault is none for another. */
  readonly vault: string
  readonly port: string
  readonly lane: string
  readonly reader: string
  /** The reader's own count, from 1, without gaps. */
  readonly sequence: number
  /** RFC 3339 UTC with milliseconds. */
  readonly captured_at: string
  readonly kind: "plate" | "face" | "scene"
  readonly crossing: string
  /** The key of the day: `day/` and the UTC date of `captured_at`. */
  readonly sealed_to: string
  readonly age_header_sha256: string
  readonly body_sha256: string
  /** Of the body. */
  readonly size_bytes: number
}

export interface ParsedCapture {
  readonly header: CaptureHeader
  /** The header's canonical JSON. */
  readonly headerJson: string
  readonly signature: Uint8Array
  readonly mode: Mode
  readonly ageHeader: Uint8Array
  readonly body: Uint8Array
}

const firstLine = "sallyport-capture/v1"
const maxLine_bytes = 4096
export const maxCapture_bytes = 34 * 1024 * 1024

const ulid = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
const digest = /^[0-9a-f]{64}$/

/** Every field, and what it must look like. */
const fields: Readonly<Record<keyof CaptureHeader, (value: unknown) => boolean>> = {
  v: value => value === 1,
  capture: matches(new RegExp(`^cap_${ulid}$`)),
  vault: matches(/^[a-z0-9][a-z0-9./-]{2,127}$/),
  port: matches(new RegExp(`^prt_${ulid}$`)),
  lane: matches(new RegExp(`^lan_${ulid}$`)),
  reader: matches(new RegExp(`^rdr_${ulid}$`)),
  sequence: value => Number.isSafeInteger(value) && (value as number) >= 1,
  captured_at: value => typeof value === "string" && isTime(value),
  kind: matches(/^(plate|face|scene)$/),
  crossing: matches(new RegExp(`^crs_${ulid}$`)),
  sealed_to: matches(/^day\/\d{4}-\d\d-\d\d$/),
  age_header_sha256: matches(digest),
  body_sha256: matches(digest),
  size_bytes: value => Number.isSafeInteger(value) && (value as number) >= 0,
}

/** What the reader's Ed25519 key signs. */
export function captureHeaderMessage(header: CaptureHeader): Uint8Array {
  return utf8(`${firstLine}\n${canonical(header)}`)
}

/** A line that names the form, the header, its signature, and the age file's bytes. */
export function formatCapture(parts: {
  readonly header: CaptureHeader
  readonly signature: Uint8Array
  readonly ageFile: Uint8Array
}): Uint8Array {
  return concat(utf8(`${firstLine}\n${canonical(parts.header)}\n${base64(parts.signature)}\n`), parts.ageFile)
}

/**
 * Takes a capture file apart. The reader's signature is not checked here, everything else is.
 * @throws Fault SEAL_FORMAT, CAPTURE_HEADER or TOO_LARGE with a sentence that says what is wrong.
 */
export function parseCapture(bytes: Uint8Array): ParsedCapture {
  if (bytes.length > maxCapture_bytes) throw new Fault("TOO_LARGE", "a capture file has at most 34 MiB")
  const [first, second, third] = readLines(bytes)
  if (first?.text !== firstLine || second === undefined || third === undefined) {
    throw new Fault("SEAL_FORMAT", "the file does not begin as a capture file does")
  }
  const header = parseHeaderLine(second.text)
  const signature = fromBase64(third.text)
  if (signature?.length !== 64) throw new Fault("CAPTURE_HEADER", "the signature is not 64 bytes in base64")
  const parts = splitAgeFile(bytes.subarray(third.end))
  const form = parts === null ? null : parseHeader(parts.header)
  if (parts === null || form === null) {
    throw new Fault(
      "SEAL_FORMAT",
      "the capture is not an age file with one stanza for this vault's kind of key",
    )
  }
  const isWhole =
    hex(sha256(parts.header)) === header.age_header_sha256 &&
    parts.body.length === header.size_bytes &&
    hex(sha256(parts.body)) === header.body_sha256
  if (!isWhole)
    throw new Fault(
      "SEAL_FORMAT",
      "the sealed bytes are not those that the header describes: cut, or changed",
    )
  return {
    header,
    headerJson: second.text,
    signature,
    mode: form.mode,
    ageHeader: parts.header,
    body: parts.body,
  }
}

function parseHeaderLine(text: string): CaptureHeader {
  const value = parseObject(text)
  if (value === null) throw new Fault("CAPTURE_HEADER", "the header is not a JSON object in canonical form")
  const wrong = Object.entries(fields).find(
    ([name, holds]) => !Object.hasOwn(value, name) || !holds(value[name]),
  )?.[0]
  if (wrong !== undefined)
    throw new Fault("CAPTURE_HEADER", `the header's field ${wrong} is missing or malformed`)
  if (Object.keys(value).length !== Object.keys(fields).length)
    throw new Fault("CAPTURE_HEADER", "the header has an unknown field")
  const header = value as unknown as CaptureHeader
  if (header.sealed_to !== `day/${header.captured_at.slice(0, 10)}`) {
    throw new Fault("CAPTURE_HEADER", "the header's field sealed_to is not the day of captured_at")
  }
  return header
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null
    return canonical(value) === text ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** The first three lines, each at most 4 KiB of UTF-8, with where the next one starts. */
function readLines(bytes: Uint8Array): { readonly text: string; readonly end: number }[] {
  const lines: { text: string; end: number }[] = []
  for (let from = 0; lines.length < 3;) {
    const end = bytes.subarray(from, from + maxLine_bytes).indexOf(10)
    const text = end < 0 ? null : textOf(bytes.subarray(from, from + end))
    if (text === null) break
    from += end + 1
    lines.push({ text, end: from })
  }
  return lines
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return value => typeof value === "string" && pattern.test(value)
}

function isTime(text: string): boolean {
  const time_ms = Date.parse(text)
  return Number.isFinite(time_ms) && new Date(time_ms).toISOString() === text
}
