import { createHash } from "node:crypto"
import { utf8 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { join, type Level, levelOf } from "../grant/level.ts"
import { formatCode, lettersCsv, lettersNdjson, visibleAt, type Letter } from "../incident/letter.ts"
import type { ScopeResult } from "../incident/scope.ts"
import type { IncidentState } from "../log/incidents.ts"
import { recordOf } from "./caller.ts"
import type { House } from "./house.ts"
import { scopedAgain } from "./incidents.ts"
import type { Disclosure } from "./scope.ts"

/**
 * Letters of an incident: one for each image that left, in the order of its id. They are made anew each time from the scope that
 * the log names, and are the same each time.
 */
export interface Letters {
  readonly result: ScopeResult
  readonly count: number
  readonly letters: () => Generator<Letter>
}

/** @throws Fault CONFLICT where the log no longer gives the result; of `scopedAgain`. */
export async function lettersOf(house: House, held: IncidentState): Promise<Letters> {
  const { result, disclosures } = await scopedAgain(house, held)
  const rows = await rowsOf(house, disclosures)
  function* letters(): Generator<Letter> {
    for (const row of rows) yield letterOf(house, held.incident, row)
  }
  return { result, count: rows.length, letters }
}

interface Row {
  readonly capture: string
  readonly hour: string
  readonly port: string
  readonly lane: string
  readonly level: Level
  readonly organizations: readonly string[]
}

async function rowsOf(house: House, disclosures: readonly Disclosure[]): Promise<readonly Row[]> {
  const byCapture = new Map<string, { level: Level; organizations: Set<string> }>()
  for (const { capture, level, organization } of disclosures) {
    const seen = levelOf(level) ?? "L4"
    const held = byCapture.get(capture) ?? { level: seen, organizations: new Set() }
    held.organizations.add(organization)
    byCapture.set(capture, { ...held, level: join(held.level, seen) })
  }
  const names = new Names(house)
  const rows: Row[] = []
  for (const capture of [...byCapture.keys()].sort()) {
    const { level, organizations } = byCapture.get(capture) ?? { level: "L4", organizations: [] }
    const row = await house.ledger.capture(capture)
    if (row === null) throw new Fault("LEDGER_DIFFERS", `the ledger has no capture ${capture}`)
    const [port, lane] = [await names.of("port", row.port), await names.of("lane", row.lane)]
    const held = await Promise.all([...organizations].sort().map(each => names.of("organization", each)))
    rows.push({ capture, hour: row.hour, port, lane, level, organizations: held })
  }
  return rows
}

/** Names of the registry, each asked once. */
class Names {
  readonly #house: House
  readonly #held = new Map<string, Promise<string>>()

  constructor(house: House) {
    this.#house = house
  }

  of(kind: "port" | "lane" | "organization", id: string): Promise<string> {
    const held = this.#held.get(id) ?? recordOf(this.#house, kind, id).then(record => record?.name ?? id)
    this.#held.set(id, held)
    return held
  }
}

function letterOf(house: House, incident: string, row: Row): Letter {
  const code = formatCode(house.keys.root.digest("letter-code/v1", `${incident}\0${row.capture}`))
  const { capture, hour, port, lane, level, organizations } = row
  return { code, incident, capture, hour, port, lane, level, visible: visibleAt[level], organizations }
}

export interface LettersDigest {
  readonly count: number
  readonly ndjson_sha256: string
  readonly csv_sha256: string
}

/** Digests of both files; one letter is in memory at a time. */
export function digestOfLetters({ letters, count }: Letters): LettersDigest {
  const [ndjson, csv] = [createHash("sha256"), createHash("sha256")]
  for (const line of lettersNdjson(letters())) ndjson.update(line)
  for (const line of lettersCsv(letters())) csv.update(line)
  return { count, ndjson_sha256: ndjson.digest("hex"), csv_sha256: csv.digest("hex") }
}

const found_bytes = 16

/** What the public page looks codes up in: 16 bytes of a keyed digest of each, sorted. It gives no code away. */
export function codeTable(house: House, { letters, count }: Letters): Uint8Array {
  const digests: Buffer[] = []
  for (const { code } of letters()) digests.push(Buffer.from(lookupOf(house, code)))
  digests.sort(Buffer.compare)
  return Buffer.concat(digests, count * found_bytes)
}

export function lookupOf(house: House, code: string): Uint8Array {
  return house.keys.root.digest("letter-lookup/v1", code)
}

/** Whether the table has the digest; always as many steps as a table of that size takes. */
export function isInTable(table: Uint8Array, digest: Uint8Array): boolean {
  const count = table.length / found_bytes
  let [low, high, isFound] = [0, count, false]
  for (let step = 0; step <= Math.ceil(Math.log2(count + 1)); step += 1) {
    const middle = Math.min(count - 1, Math.floor((low + high) / 2))
    const order = Buffer.compare(table.subarray(middle * found_bytes, (middle + 1) * found_bytes), digest)
    isFound ||= order === 0
    if (order < 0) low = middle + 1
    else high = middle
  }
  return isFound
}

/** Where the table of letters that were signed is kept. */
export function tableName(incident: string, ndjson_sha256: string): string {
  return `incidents/${incident}/codes-${ndjson_sha256}`
}

/** A page of letters, for whoever prints them. */
export function* lettersAs(kind: "csv" | "ndjson", { letters }: Letters): Generator<Uint8Array> {
  const lines = kind === "csv" ? lettersCsv(letters()) : lettersNdjson(letters())
  let held: string[] = []
  for (const line of lines) {
    held.push(line)
    if (held.length < 256) continue
    yield utf8(held.join(""))
    held = []
  }
  yield utf8(held.join(""))
}
