import { expect } from "vitest"
import sharp from "sharp"
import { multipart } from "../src/http/multipart.ts"
import { shotsOf, type ReaderShot } from "../src/reading/event.ts"
import { importEvents } from "../src/reading/import.ts"
import type { Imported, ImportOptions, Wire } from "../src/reading/imported.ts"
import { packContents, unpackContents } from "../src/seal/contents.ts"
import type { Read, ReaderKind } from "../src/seal/read.ts"

/** Readers for tests: events of our own making, over the wire as their readers send them. Every plate is fictional. */

/** 4 March 2026, 06:06:07 in Zagreb. */
export const now_ms = Date.parse("2026-03-04T05:06:07.089Z")

export const strict: ImportOptions = {
  received_ms: now_ms + 2_000,
  zone: null,
  badClock: "refuse",
  badPicture: "refuse",
  boxUnit: null,
  mapping: null,
}

export async function jpegOf(width: number, height: number): Promise<Uint8Array> {
  const channels = 3 as const
  const background = { r: width % 256, g: height % 256, b: 90 }
  return new Uint8Array(await sharp({ create: { width, height, channels, background } }).jpeg().toBuffer())
}

export function jsonOf(value: unknown): Wire {
  return { contentType: "application/json; charset=utf-8", body: Buffer.from(JSON.stringify(value)) }
}

export function xmlOf(text: string): Wire {
  return { contentType: "application/xml", body: Buffer.from(text) }
}

export interface FormPart {
  readonly name: string
  readonly filename?: string
  readonly type: string
  readonly bytes: Uint8Array | string
}

export function formOf(...parts: readonly FormPart[]): Wire {
  const whole = parts.map(part => ({ filename: "", ...part, bytes: Buffer.from(part.bytes as string) }))
  const { type, body } = multipart(whole)
  return { contentType: type, body }
}

/** A body as a camera streams it: parts with a content type and no name, after an empty line. */
export function streamOf(
  ...parts: readonly { readonly type: string; readonly bytes: Uint8Array | string }[]
): Wire {
  const chunks = parts.flatMap(({ type, bytes }) => {
    const body = Buffer.from(bytes as string)
    return [
      Buffer.from(`--myboundary\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`),
      body,
      Buffer.from("\r\n"),
    ]
  })
  const body = Buffer.concat([Buffer.from("\r\n"), ...chunks, Buffer.from("--myboundary--\r\n")])
  return { contentType: "multipart/x-mixed-replace; boundary=myboundary", body }
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64")
}

/** Imports, and holds each capture that would be sealed against what a vault takes back. */
export function imported(
  kind: ReaderKind,
  wire: Wire,
  options: Partial<ImportOptions> = {},
): Imported & { readonly shots: readonly ReaderShot[] } {
  const found = importEvents(kind, wire, { ...strict, ...options })
  const shots = shotsOf(found)
  for (const { picture, event } of shots)
    expect(unpackContents(packContents({ picture, event }))?.event).toEqual(event)
  return { ...found, shots }
}

/** The only read of a message. */
export function onlyRead(kind: ReaderKind, wire: Wire, options: Partial<ImportOptions> = {}): Read {
  const { reads } = imported(kind, wire, options)
  expect(reads).toHaveLength(1)
  return reads[0]!
}
