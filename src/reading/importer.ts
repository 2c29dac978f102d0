import type { Album } from "./album.ts"
import type { HealthEvent, Imported, ImportOptions } from "./imported.ts"
import type { Json } from "./json.ts"
import type { NamedFile } from "./wire.ts"

/** Most events in one body. */
export const maxEvents = 1_024

/** Most vehicles in one frame: each carries the fields that they share. */
export const maxVehicles = 64

/** What an importer is given: one document of a message, and what the message and the lane share. */
export interface Desk {
  readonly options: ImportOptions
  readonly album: Album
  /** The message's pictures, in the order sent. */
  readonly files: readonly NamedFile[]
}

/** What an importer finds in one document. */
export type Found = Pick<Imported, "reads" | "health" | "passedOver">

/** One kind of reader: what its documents say. @throws Fault READER_EVENT, READER_PICTURE or READER_TIME. */
export type Importer = (document: Json, desk: Desk) => Found

export const nothingFound: Found = { reads: [], health: [], passedOver: [] }

export function foundTogether(all: readonly Found[]): Found {
  return {
    reads: all.flatMap(each => each.reads),
    health: all.flatMap(each => each.health),
    passedOver: all.flatMap(each => each.passedOver),
  }
}

/** A reader's word for a state, fit for an alert: what is no letter, digit or `-_./` is left out, 64 characters at most. */
export function toldWord(word: string | null): string {
  return (word ?? "").replace(/[^A-Za-z0-9._/-]/g, "").slice(0, 64)
}

/** The kind of health event that a reader's word stands for, by a table of its own; `null` for no such word. */
export function healthOf(
  table: Readonly<Record<string, HealthEvent["kind"]>>,
  word: string,
): HealthEvent["kind"] | null {
  const known = word.toLowerCase()
  return Object.hasOwn(table, known) ? (table[known] ?? null) : null
}
