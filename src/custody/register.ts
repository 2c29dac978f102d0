import { Fault } from "../fault.ts"
import { takenName } from "../log/registry.ts"
import { names } from "../log/state.ts"
import type { Statement } from "../grant/request.ts"
import { newId } from "../ids.ts"
import type { KeyOf } from "../ledger/ledger.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { needsSecond } from "../log/motion-rules.ts"
import { chainKeys, contractKeys, personKeys, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { isNetwork } from "./networks.ts"
import { propose } from "./propose.ts"

type StatementOf<
  K extends
    | "organization.added"
    | "contract.added"
    | "person.enrolled"
    | "port.added"
    | "lane.added"
    | "reader.enrolled"
    | "recipients.signed",
> = EntryOf<K>["statement"]

export interface Registered {
  readonly id: string
  readonly entry: number
  /** Set when nothing is in effect before a second person signs this motion. */
  readonly motion?: string
}

/** Things that a custodian adds, by the name of their resource. The door has checked the statement's shape. */
export const registrations = {
  orgs: (asked, statement) => {
    const stated = statement as StatementOf<"organization.added">
    const id = newId("org")
    const above = stated.parent === null ? [] : [{ kind: "organization", id: stated.parent }]
    return {
      id,
      draft: { kind: "organization.added", organization: id, asked, statement: stated },
      records: above,
    }
  },
  contracts: (asked, statement) => {
    const stated = statement as StatementOf<"contract.added">
    const id = newId("con")
    const odd = stated.networks.find(network => !isNetwork(network))
    if (odd !== undefined)
      throw new Fault("INVALID", `${odd} is not a network; one is written 192.0.2.0/24 or 2001:db8::/32`)
    const records = [
      { kind: "organization", id: stated.organization },
      ...(stated.under === null ? [] : [{ kind: "contract", id: stated.under }]),
    ]
    return { id, draft: { kind: "contract.added", contract: id, asked, statement: stated }, records }
  },
  people: (asked, statement) => {
    const stated = statement as StatementOf<"person.enrolled">
    const id = newId("per")
    const records = [
      { kind: "organization", id: stated.organization },
      { kind: "key", id: stated.key },
    ]
    return { id, draft: { kind: "person.enrolled", person: id, asked, statement: stated }, records }
  },
  ports: (asked, statement) => {
    const stated = statement as StatementOf<"port.added">
    assertTimeZone(stated.time_zone)
    const id = newId("prt")
    return { id, draft: { kind: "port.added", port: id, asked, statement: stated }, records: [] }
  },
  lanes: (asked, statement) => {
    const stated = statement as StatementOf<"lane.added">
    const id = newId("lan")
    return {
      id,
      draft: { kind: "lane.added", lane: id, asked, statement: stated },
      records: [{ kind: "port", id: stated.port }],
    }
  },
  readers: (asked, statement) => {
    const stated = statement as StatementOf<"reader.enrolled">
    const id = newId("rdr")
    const records = [
      { kind: "lane", id: stated.lane },
      { kind: "key", id: stated.key },
    ]
    return { id, draft: { kind: "reader.enrolled", reader: id, asked, statement: stated }, records }
  },
} satisfies Record<
  string,
  (asked: Caller["asked"], statement: Statement) => { id: string; draft: Draft; records: readonly KeyOf[] }
>

export type Resource = keyof typeof registrations

/** Adds an organization, contract, person, port, lane or reader: an entry, and by it a row. */
export async function register(house: House, caller: Caller, resource: Resource): Promise<Registered> {
  const { id, draft, records } = registrations[resource](caller.asked, caller.statement)
  const own = { kind: ownKinds[resource], id }
  const name = takenName(draft)
  const motion = newId("mot")
  const { index, entry } = await propose(house, caller, {
    of: "registry",
    // Whom one person alone may not enroll is proposed, for a second one to sign.
    draft: state =>
      draft.kind === "person.enrolled" && needsSecond(caller, state)
        ? {
            kind: "motion.proposed",
            motion,
            act: "enroll",
            subject: id,
            asked: caller.asked,
            statement: draft.statement,
          }
        : draft,
    records: [own, { kind: "motion", id: motion }, ...records, ...(await above(house, records))],
    members: name === null ? [] : [{ set: names.taken, member: name }],
  })
  return { id, entry: index, ...(entry.kind === "motion.proposed" ? { motion } : {}) }
}

/** The contractor showed an attestation anew, until when it holds. */
export async function attest(house: House, caller: Caller, contract: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"contract.attested">["statement"]
  const draft: Draft = { kind: "contract.attested", contract, asked: caller.asked, statement }
  const records = [{ kind: "contract", id: contract }]
  const { index } = await propose(house, caller, { of: "registry", draft, records })
  return { id: contract, entry: index }
}

/** Suspends or resumes a person or an organization. */
export async function suspend(
  house: House,
  caller: Caller,
  what: { readonly kind: "person" | "organization"; readonly id: string },
): Promise<Registered> {
  const statement = caller.statement as EntryOf<"person.suspended">["statement"]
  const { asked } = caller
  const draft: Draft =
    what.kind === "person"
      ? { kind: "person.suspended", person: what.id, asked, statement }
      : { kind: "organization.suspended", organization: what.id, asked, statement }
  const above = what.kind === "person" ? personKeys(house, what.id) : chainKeys(house, what.id)
  const records = [what, { kind: "watch", id: what.id }, ...(await above)]
  const { index } = await propose(house, caller, { of: "registry", draft, records })
  return { id: what.id, entry: index }
}

const ownKinds: Readonly<Record<Resource, string>> = {
  orgs: "organization",
  contracts: "contract",
  people: "person",
  ports: "port",
  lanes: "lane",
  readers: "reader",
}

/** The organizations above those that a rule asks for: its depth is judged. */
async function above(house: House, records: readonly KeyOf[]): Promise<KeyOf[]> {
  const chains = records.map(key =>
    key.kind === "organization"
      ? chainKeys(house, key.id)
      : key.kind === "contract"
        ? contractKeys(house, key.id)
        : Promise.resolve([]),
  )
  return (await Promise.all(chains)).flat()
}

function assertTimeZone(zone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone })
  } catch (cause) {
    throw new Fault("INVALID", "time_zone is not a zone of the IANA database, such as America/Chicago", {
      cause,
    })
  }
}
