import { utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { audiences, textFor, type Statement } from "../incident/statement.ts"
import type { Member } from "./archive.ts"
import { sha256Of } from "./manifest.ts"

/** What two people sign when they freeze a statement: the digest of everything that was made of it. */
export interface Frozen {
  readonly v: 1
  readonly format: "sallyport-frozen/1"
  readonly incident: string
  /** Index of the entry `incident.scoped` whose numbers are stated. */
  readonly scoped: number
  /** The linkage, and its entry `linkage.estimated`, whose interval of people is stated; `null` where none is. */
  readonly estimated: { readonly linkage: string; readonly entry: number } | null
  /** SHA-256 of each file, by its name. */
  readonly files: Readonly<Record<string, string>>
  /** Of the letters, or `null` where none were made. */
  readonly letters: Letters | null
}

export interface Letters {
  readonly count: number
  /** Of `letters.ndjson` and `letters.csv`. */
  readonly ndjson_sha256: string
  readonly csv_sha256: string
}

/** The statement's files: the machine file, the three texts, the PDF. */
export function statementFiles(statement: Statement, pdf: Uint8Array): readonly Member[] {
  return [
    { name: "statement.json", bytes: utf8(canonical(statement)) },
    ...audiences.map(audience => ({ name: `${audience}.txt`, bytes: utf8(textFor(statement, audience)) })),
    { name: "statement.pdf", bytes: pdf },
  ]
}

export function freeze(
  files: readonly Member[],
  of: Pick<Frozen, "incident" | "scoped" | "estimated" | "letters">,
): { readonly frozen: Frozen; readonly bytes: Uint8Array; readonly sha256: string } {
  const { incident, scoped, estimated, letters } = of
  const digests = Object.fromEntries(files.map(({ name, bytes }) => [name, sha256Of(bytes)]))
  const fixed = { v: 1, format: "sallyport-frozen/1" } as const
  const frozen: Frozen = { ...fixed, incident, scoped, estimated, files: digests, letters }
  const bytes = utf8(canonical(frozen))
  return { frozen, bytes, sha256: sha256Of(bytes) }
}
