import { MultipartParseError, parseMultipart, type MultipartPart } from "@remix-run/multipart-parser"
import { textOf } from "../bytes.ts"
import { Fault } from "../fault.ts"
import type { Wire } from "./imported.ts"
import { isList, parseJson, type Json } from "./json.ts"
import { parseLines } from "./lines.ts"
import { formatOf } from "./picture-bytes.ts"
import { parseXml } from "./xml.ts"

/** A part of a message that is to be a picture; what it is called is the reader's word and never a path of ours. */
export interface NamedFile {
  readonly name: string
  readonly filename: string
  readonly bytes: Uint8Array
}

/** A document with the pictures that came with it. */
export interface Section {
  readonly document: Json
  readonly files: readonly NamedFile[]
}

/** A body taken apart: its documents in the order sent, and its plain form fields. */
export interface Message {
  readonly sections: readonly Section[]
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** One part of a body, as what it turned out to be. */
type Piece =
  | { readonly is: "documents"; readonly values: readonly Json[] }
  | { readonly is: "file"; readonly file: NamedFile }
  | { readonly is: "field"; readonly name: string; readonly value: string }

export const maxBody_bytes = 64 * 1024 * 1024
export const maxPart_bytes = 32 * 1024 * 1024
export const maxParts = 16
const maxFields = 64
const maxPartHeader_bytes = 8 * 1024
const maxDocument_bytes = 48 * 1024 * 1024

/**
 * Takes a body apart by its content type and, where readers are careless with that, by its first character: JSON, XML,
 * lines of `name=value`, a form, or multipart with any of them and pictures. Pictures belong to the one document, or of
 * several to the one that they follow.
 * @throws Fault READER_EVENT for a body over 64 MiB, more than 16 parts or 64 fields, a part over 32 MiB or its header over 8 KiB, a
 * body that ends early, and whatever `parseJson`, `parseXml` and `parseLines` refuse.
 */
export function openWire({ contentType, body }: Wire): Message {
  if (body.length > maxBody_bytes) throw refused("the body is over 64 MiB")
  const kind = contentType.split(";")[0]?.trim().toLowerCase() ?? ""
  if (kind.startsWith("multipart/")) return messageOf(partsOf(contentType, body).flatMap(piecesOf))
  if (kind === "application/x-www-form-urlencoded") return messageOf(urlencoded(utf8Text(body)))
  if (formatOf(body) !== null) return messageOf([])
  return messageOf(documentsIn(utf8Text(body)))
}

function urlencoded(text: string): Piece[] {
  if (text.split("&", maxFields + 1).length > maxFields) throw refused("the form has over 64 fields")
  return [...new URLSearchParams(text)].map(fieldOf)
}

function messageOf(pieces: readonly Piece[]): Message {
  const fields = pieces.flatMap(piece => (piece.is === "field" ? [[piece.name, piece.value] as const] : []))
  const sections: { values: readonly Json[]; files: NamedFile[] }[] = []
  const early: NamedFile[] = []
  for (const piece of pieces) {
    if (piece.is === "documents") sections.push({ values: piece.values, files: [] })
    if (piece.is === "file") (sections.at(-1)?.files ?? early).push(piece.file)
  }
  sections[0]?.files.unshift(...early)
  return { sections: sections.flatMap(sectionsOf), fields }
}

function sectionsOf({ values, files }: { values: readonly Json[]; files: readonly NamedFile[] }): Section[] {
  if (values.length > 1 && files.length > 0)
    throw refused("several events came with pictures that none of them names")
  return values.map(document => ({ document, files }))
}

function partsOf(contentType: string, body: Uint8Array): MultipartPart[] {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) throw refused("the multipart body has no boundary of 1 to 70 characters")
  const limits = { maxHeaderSize: maxPartHeader_bytes, maxFileSize: maxPart_bytes, maxParts }
  try {
    // Cameras that stream put an empty line before the first boundary.
    return [...parseMultipart(withoutLeadingLines(body), { boundary, ...limits })]
  } catch (cause) {
    if (!(cause instanceof MultipartParseError)) throw cause
    throw refused("the multipart body has over 16 parts, a part over 32 MiB, or ends early")
  }
}

function withoutLeadingLines(body: Uint8Array): Uint8Array {
  const start = body.findIndex(byte => byte !== 0x0d && byte !== 0x0a)
  return body.subarray(Math.max(0, start))
}

function piecesOf(part: MultipartPart): Piece[] {
  const { name = "", filename = "" } = namesOf(part)
  const bytes = part.bytes
  const isPicture =
    typeOf(part).startsWith("image/") || formatOf(bytes) !== null || /\.(jpe?g|png|bmp)$/i.test(filename)
  if (isPicture) return [{ is: "file", file: { name, filename, bytes } }]
  const text = utf8Text(bytes)
  const found = documentsIn(text)
  return found.length > 0 || text.trim() === "" ? found : [fieldOf([name, text])]
}

/** A part's header can be bytes that are no text; then it has no name. */
function namesOf(part: MultipartPart): { name?: string | undefined; filename?: string | undefined } {
  try {
    return { name: part.name, filename: part.filename }
  } catch {
    return {}
  }
}

function typeOf(part: MultipartPart): string {
  try {
    return part.mediaType?.toLowerCase() ?? ""
  } catch {
    return ""
  }
}

function utf8Text(bytes: Uint8Array): string {
  if (bytes.length > maxDocument_bytes) throw refused("the event is over 48 MiB")
  const text = textOf(bytes)
  if (text === null) throw refused("the event is not text in UTF-8")
  return text.replace(/^\uFEFF/, "")
}

function documentsIn(text: string): Piece[] {
  const start = text.trimStart()
  if (start.startsWith("{") || start.startsWith("[")) return [documentsOf(parseJson(text))]
  if (start.startsWith("<")) return [documentsOf(parseXml(start))]
  const lines = parseLines(text)
  return lines === null ? [] : [documentsOf(lines)]
}

function documentsOf(value: Json): Piece {
  return { is: "documents", values: isList(value) ? value : [value] }
}

/** A form's field holds a document (`json={…}`) or is kept as it is. */
function fieldOf([name, value]: readonly [string, string]): Piece {
  const [document] = /^\s*[[{<]/.test(value) ? documentsIn(value) : []
  return document ?? { is: "field", name, value }
}

function refused(why: string): Fault {
  return new Fault("READER_EVENT", `${why}; nothing was sealed`, {
    next: "let the reader send one event at a time, at most 15 pictures with it",
  })
}
