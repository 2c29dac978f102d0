import { Type } from "typebox"
import { Compile } from "typebox/compile"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import { levelOf } from "../grant/level.ts"
import { isAgencyOffice, may } from "../grant/office.ts"
import { visibleAt } from "../incident/letter.ts"
import type { CaptureRow } from "../ledger/ledger.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { closed, id, nullable, time } from "../log/shapes.ts"
import { names, permitName } from "../log/state.ts"
import { recordOf, type Caller } from "./caller.ts"
import { entryOfKind } from "./copies.ts"
import type { House } from "./house.ts"
import { nameOfPerson } from "./person-name.ts"
import { propose } from "./propose.ts"

/** Which crossing: as the traveler gives it. Nothing is searched by a face or a plate. */
const askShape = closed({
  port: id("prt"),
  lane: nullable(id("lan")),
  at: time,
  within_minutes: Type.Integer({ minimum: 1, maximum: 720 }),
  crossing: nullable(id("crs")),
})
const isAsk = Compile(askShape)

export interface AccountingAsk {
  readonly port: string
  readonly lane: string | null
  /** RFC 3339 UTC. */
  readonly at: string
  readonly within_minutes: number
  readonly crossing: string | null
}

/** One disclosure, with what 5 U.S.C. 552a(c)(1) asks: date, nature, purpose, and to whom. */
export interface Disclosure {
  readonly capture: string
  readonly crossing: string
  /** Of the capture: port-local hour, lane, and what was in front of the camera. */
  readonly hour: string
  readonly lane: string
  readonly kind: string
  readonly at: string
  /** `copy`: a file left; `look`: it was shown once to one of the agency's own; `charged`: permitted, and no delivery is known. */
  readonly nature: "copy" | "look" | "charged"
  readonly level: string
  readonly visible: string
  readonly purpose: string
  readonly work_order: string
  readonly grant: string
  readonly organization: string
  readonly organization_name: string
  readonly person: string
  /** `null` where the text was destroyed. */
  readonly person_name: string | null
  readonly within_agency: boolean
  /** Entries that say so. */
  readonly permit: number
  readonly delivered: number | null
}

export interface Accounting {
  readonly entry: number
  readonly as_of: string
  readonly ask: AccountingAsk
  /** Captures in that window, by crossing, oldest first: the traveler's is one of them. */
  readonly crossings: readonly {
    readonly crossing: string
    readonly first_at: string
    readonly captures: number
    readonly disclosures: number
  }[]
  readonly disclosures: readonly Disclosure[]
  readonly limits: readonly string[]
}

const mostCaptures = 500
const mostDisclosures = 5000
const page = 500

const limits = [
  "It lists what this vault's log knows. What left before the vault's first entry is not known.",
  "A disclosure within the agency may not have to be accounted for (5 U.S.C. 552a(c) and (b)(1), for counsel to confirm).",
  "The vault holds no address of a recipient; the contract does.",
] as const

/**
 * What left of the captures of one place and time, to whom, when and why. That it was asked is in the log before anybody sees it.
 * @throws Fault INVALID for an ask that is none, or wider than 500 captures; OFFICE for anyone but the privacy officer.
 */
export async function accountFor(house: House, caller: Caller): Promise<Accounting> {
  const ask = askOf(caller)
  // What would be refused is not looked for.
  const rows = may(caller.person.office, "account") ? await capturesOf(house, ask) : []
  const disclosures = await disclosuresOf(house, rows)
  const { asked, person } = caller
  const draft: Draft = {
    ...{ kind: "accounting.made", person: person.person, captures: rows.length },
    ...{ disclosures: disclosures.length, asked },
    statement: caller.statement as EntryOf<"accounting.made">["statement"],
  }
  const { index, entry } = await propose(house, caller, { of: "read", draft, records: [] })
  const crossings = crossingsOf(rows, disclosures)
  return { entry: index, as_of: entry.at, ask, crossings, disclosures, limits }
}

function askOf({ openings }: Caller): AccountingAsk {
  const text = openings.ask?.value ?? ""
  const value = parsed(text)
  if (!isAsk.Check(value) || canonical(value) !== text)
    throw new Fault(
      "INVALID",
      "the ask names port, lane, at, within_minutes (1 to 720) and crossing, in canonical JSON",
      {
        notDone: "Nothing was looked for.",
      },
    )
  return value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function capturesOf(house: House, ask: AccountingAsk): Promise<readonly CaptureRow[]> {
  const at_ms = Date.parse(ask.at)
  const span_ms = ask.within_minutes * 60_000
  const lanes = await lanesOf(house, ask)
  const rows = await house.ledger.captures({
    ...{ lanes, from_ms: at_ms - span_ms, until_ms: at_ms + span_ms + 1 },
    limit: mostCaptures + 1,
  })
  if (rows.length > mostCaptures)
    throw new Fault("INVALID", `more than ${mostCaptures} captures lie in that window`, {
      ...{ notDone: "Nothing was shown.", next: "a narrower --within, or a lane" },
    })
  return rows.filter(({ crossing }) => ask.crossing === null || crossing === ask.crossing)
}

/** @throws Fault NOT_FOUND for a port or lane that is none, or a lane of another port. */
async function lanesOf(house: House, { port, lane }: AccountingAsk): Promise<readonly string[]> {
  const found: string[] = []
  for (let after = ""; ;) {
    const rows = await house.ledger.records("lane", { limit: 1000, after })
    for (const { body } of rows) {
      const held = JSON.parse(body) as { lane: string; port: string }
      if (held.port === port && (lane === null || held.lane === lane)) found.push(held.lane)
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < 1000) break
    after = last.id
  }
  if (found.length === 0) throw new Fault("NOT_FOUND", "there is no such lane at that port")
  return found
}

async function disclosuresOf(house: House, rows: readonly CaptureRow[]): Promise<readonly Disclosure[]> {
  const found: Disclosure[] = []
  const known = new Known(house)
  for (const row of rows) {
    const set = names.copies(row.id)
    for (let after: string | null = null; ;) {
      const members = await house.ledger.members({
        ...{ set, limit: page },
        ...(after === null ? {} : { after: { set, member: after } }),
      })
      for (const { member } of members) found.push(await disclosureAt(known, row, Number(member)))
      if (found.length > mostDisclosures)
        throw new Fault("INVALID", `more than ${mostDisclosures} disclosures: name the crossing`)
      const last = members.at(-1)
      if (last === undefined || members.length < page) break
      after = last.member
    }
  }
  return found.sort((a, b) => a.permit - b.permit)
}

async function disclosureAt(known: Known, row: CaptureRow, index: number): Promise<Disclosure> {
  const { house } = known
  const permit = await entryOfKind(house, index, "permit")
  if (permit.by === null)
    throw new Fault("INTERNAL", `permit ${index} is for nobody, and is counted as a copy`)
  const delivered = await house.ledger.member(names.delivered, permitName(index))
  const { person, organization, grant, purpose } = permit.by
  const level = levelOf(permit.level) ?? "L4"
  return {
    ...{ capture: row.id, crossing: row.crossing, hour: row.hour, lane: row.lane, kind: row.kind },
    ...{ at: permit.at, nature: delivered === 0 ? "charged" : permit.for === "reveal" ? "look" : "copy" },
    ...{ level, visible: visibleAt[level], purpose, work_order: await known.workOrder(grant), grant },
    ...{ organization, organization_name: await known.organization(organization), person },
    person_name: await known.person(person),
    within_agency: await known.isAgency(person),
    ...{ permit: index, delivered: delivered === 0 ? null : delivered },
  }
}

/** What many disclosures ask again and again. */
class Known {
  readonly house: House
  readonly #held = new Map<string, Promise<string | null>>()

  constructor(house: House) {
    this.house = house
  }

  async workOrder(grant: string): Promise<string> {
    const found = await this.#once(`grant ${grant}`, async () => {
      return (await recordOf(this.house, "grant", grant))?.terms.work_order ?? null
    })
    return found ?? ""
  }

  async organization(organization: string): Promise<string> {
    const found = await this.#once(organization, async () => {
      return (await recordOf(this.house, "organization", organization))?.name ?? null
    })
    return found ?? organization
  }

  person(person: string): Promise<string | null> {
    return this.#once(`name ${person}`, () => nameOfPerson(this.house, person))
  }

  async isAgency(person: string): Promise<boolean> {
    const held = await this.#once(`office ${person}`, async () => {
      const office = (await recordOf(this.house, "person", person))?.office
      return office !== undefined && isAgencyOffice(office) ? "agency" : null
    })
    return held !== null
  }

  #once(name: string, ask: () => Promise<string | null>): Promise<string | null> {
    const held = this.#held.get(name) ?? ask()
    this.#held.set(name, held)
    return held
  }
}

function crossingsOf(
  rows: readonly CaptureRow[],
  disclosures: readonly Disclosure[],
): Accounting["crossings"] {
  const crossings = [...new Set(rows.map(({ crossing }) => crossing))]
  return crossings.map(crossing => {
    const own = rows.filter(row => row.crossing === crossing)
    return {
      crossing,
      first_at: new Date(Math.min(...own.map(({ capturedAt_ms }) => capturedAt_ms))).toISOString(),
      captures: own.length,
      disclosures: disclosures.filter(each => each.crossing === crossing).length,
    }
  })
}
