import { Fault } from "../fault.ts"

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** A JSON object. */
export type JsonObject = { readonly [name: string]: Json }

/** How deep an event may nest, and how many values it may hold: far beyond what any reader sends. */
export const maxDepth = 32
const maxValues = 50_000
/** Commas and brackets, those within texts too. */
const maxMarks = 4 * maxValues

/** @throws Fault READER_EVENT for text that is no JSON, nests deeper than 32 or holds over 50,000 values. */
export function parseJson(text: string): Json {
  // Counted before it is parsed: 48 MiB of brackets would take a lane's memory many times over.
  if (marksIn(text) > maxMarks) throw refused("the event holds over 50,000 values")
  const value = parsed(text)
  let left = maxValues
  let level: readonly Json[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    left -= level.length
    if (depth > maxDepth) throw refused("the event nests deeper than 32")
    if (left < 0) throw refused("the event holds over 50,000 values")
    level = level.flatMap(childrenOf)
  }
  return value
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** The values of a list or an object; nothing for what has none. */
export function childrenOf(value: Json): readonly Json[] {
  return typeof value === "object" && value !== null ? Object.values(value) : []
}

/** Counts by search, since an event is mostly pictures in base64, which have none. */
function marksIn(text: string): number {
  let count = 0
  for (const mark of [",", "[", "{"])
    for (let at = text.indexOf(mark); at >= 0 && count <= maxMarks; at = text.indexOf(mark, at + 1))
      count += 1
  return count
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    // Without the cause: its message quotes the text, which may hold a plate.
    throw refused("the event is not JSON")
  }
}

function refused(why: string): Fault {
  return new Fault("READER_EVENT", `${why}; nothing was sealed`, {
    next: "check that the lane is set to the kind of reader that sends to it",
  })
}
