import canonicalizeModule from "canonicalize"
import { assert } from "./fault.ts"

// The package is CommonJS whose types describe an ES default export; at run time the import is the function itself.
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string | undefined

/** Canonical JSON (RFC 8785) of plain data: one text for one value, whoever writes it. */
export function canonical(value: unknown): string {
  const text = canonicalize(value)
  assert(typeof text === "string", "only plain data has a canonical form")
  return text
}
