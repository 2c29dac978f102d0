import { parseCode } from "../incident/letter.ts"
import type { IncidentState } from "../log/incidents.ts"
import { recordsOf } from "./caller.ts"
import type { House } from "./house.ts"
import { isInTable, lookupOf, tableName } from "./letters.ts"

/** What anybody may know of a letter's code: whether it is ours, of which incident, and when its letters were signed. */
export interface CodeAnswer {
  readonly ours: boolean
  readonly incident: string | null
  /** UTC date on which two people signed the letters. */
  readonly signed_on: string | null
  readonly says: string
}

interface Table {
  readonly incident: string
  readonly signed_on: string
  readonly codes: Uint8Array
}

const says = {
  ours: "This code is on a letter of ours. Nothing else about the letter is shown here.",
  other:
    "This code is not on any letter of ours. Compare it with your letter: each group, and the last character.",
} as const

/** No code: the same work is done for what cannot be one. */
const nobody = "0000-0000-0000-0000-0"

/** Letters whose statement two people signed; tables are read once. */
export class NoticeCodes {
  readonly #house: House
  readonly #held = new Map<string, Promise<Uint8Array | null>>()

  constructor(house: House) {
    this.#house = house
  }

  /** Looks in every table, whatever was found before and whatever was typed. */
  async check(typed: string): Promise<CodeAnswer> {
    const code = parseCode(typed)
    const digest = lookupOf(this.#house, code ?? nobody)
    const found = (await this.#tables()).filter(({ codes }) => isInTable(codes, digest))
    const table = code === null ? undefined : found[0]
    return {
      ours: table !== undefined,
      incident: table?.incident ?? null,
      signed_on: table?.signed_on ?? null,
      says: table === undefined ? says.other : says.ours,
    }
  }

  async #tables(): Promise<readonly Table[]> {
    const tables: Table[] = []
    for await (const held of recordsOf(this.#house, "incident")) {
      const table = await this.#table(held)
      if (table !== null) tables.push(table)
    }
    return tables
  }

  async #table({ incident, signed }: IncidentState): Promise<Table | null> {
    if (signed === null || signed.letters_sha256 === null) return null
    const name = tableName(incident, signed.letters_sha256)
    const held = this.#held.get(name) ?? this.#house.objects.get(name)
    this.#held.set(name, held)
    const codes = await held
    return codes === null ? null : { incident, signed_on: signed.at.slice(0, 10), codes }
  }
}
