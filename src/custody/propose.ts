import { fromBase64 } from "../bytes.ts"
import { Fault, faults, type FaultCode } from "../fault.ts"
import { offices } from "../grant/office.ts"
import { opens, type Opening } from "../grant/request.ts"
import { names, type State } from "../log/state.ts"
import type { KeyOf, OpeningRow, Wanted } from "../ledger/ledger.ts"
import { judge } from "../log/judge.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import type { Appended, Drafted } from "../log/sequencer.ts"
import { sealText } from "../vault/keys.ts"
import { circleOf, personKeys, type Caller } from "./caller.ts"
import { explain, type Explained } from "./explain.ts"
import { wanting } from "../ledger/ledger.ts"
import type { House } from "./house.ts"

type Refused = EntryOf<"refused">

/** What every judgement of approvals reads: the policy, and who changed office. */
export const standingKeys: readonly KeyOf[] = [
  { kind: "policy", id: "policy" },
  { kind: "moves", id: "moves" },
]

/** What a refusal says beside its code. */
export interface Refusal {
  readonly of: Refused["of"]
  readonly code: FaultCode
  readonly person?: string
  readonly reader?: string
  readonly grant?: string
  readonly capture?: string
  readonly network?: string | null
  readonly watch?: Refused["watch"] | null
  readonly asked?: Refused["asked"]
  readonly statement?: Refused["statement"]
}

/** The entry of a refusal. Every authenticated attempt is in the log, refusals too. */
export function refusedEntry(refusal: Refusal): Drafted {
  const { of, code, person, reader, grant, capture, network, watch, asked, statement } = refusal
  return {
    entry: {
      kind: "refused",
      of,
      code,
      person: person ?? null,
      reader: reader ?? null,
      grant: grant ?? null,
      capture: capture ?? null,
      network: network ?? null,
      ...(watch == null ? {} : { watch }),
      asked: asked ?? null,
      statement: statement ?? null,
    },
  }
}

/** Logs a refusal that was found outside of the sequencer, and throws its Fault. */
export async function refuse(house: House, refusal: Refusal, detail: string): Promise<never> {
  const records = refusal.person === undefined ? [] : await personKeys(house, refusal.person)
  const appended = await house.log.append({
    wanted: wanting({ records }),
    draft: () => refusedEntry(refusal),
  })
  throw new Fault(refusal.code, detail, { entry: appended.index })
}

/**
 * Puts what a person stated into the log, if the rules let it: the judgement is made in the transaction that stores it.
 * @param records  what the rules and effects read beside the caller's circle.
 * @throws Fault of the rule that refuses, with the entry of the refusal.
 */
export async function propose(
  house: House,
  caller: Caller,
  ask: {
    readonly of: Refused["of"]
    /** What is proposed; a function where that depends on the state. */
    readonly draft: Draft | ((state: State) => Draft)
    readonly records: readonly KeyOf[]
    readonly members?: Wanted["members"]
    readonly captures?: Wanted["captures"]
    readonly grant?: string
    readonly destroyed?: Drafted["destroyed"]
  },
): Promise<Appended> {
  if (!opens(caller.statement, caller.openings))
    throw new Fault("INVALID", "the openings do not open the statement's commitments")
  const openings = Object.entries(caller.openings).map(([field, { salt, value }]) => {
    return sealedOpening(house, { field, salt, value })
  })
  const told: { explained: Explained | null } = { explained: null }
  const appended = await house.log.append({
    wanted: wanting({
      records: [...(await circleOf(house, caller)), ...standingKeys, ...ask.records],
      counters: offices.map(names.enrolled),
      members: ask.members ?? [],
      captures: ask.captures ?? [],
    }),
    draft: (state, now_ms) => {
      const draft = typeof ask.draft === "function" ? ask.draft(state) : ask.draft
      const code = judge(draft, state, now_ms)
      if (code === null) return { entry: draft, openings, destroyed: ask.destroyed ?? [] }
      told.explained = explain(code, draft, { state, now_ms })
      const { asked, person } = caller
      return refusedEntry({
        of: ask.of,
        code,
        person: person.person,
        asked,
        ...(ask.grant === undefined ? {} : { grant: ask.grant }),
      })
    },
  })
  if (appended.entry.kind === "refused") throw refusalFault(appended.entry, appended.index, told.explained)
  return appended
}

/** An opening as the ledger keeps it: the salt, and the text sealed to the vault's root key. */
export function sealedOpening(
  house: House,
  { field, salt, value }: { readonly field: string } & Opening,
): Omit<OpeningRow, "entry"> {
  return { field, salt: fromBase64(salt) ?? new Uint8Array(), value: sealText(house.keys.root, field, value) }
}

function refusalFault({ code, of }: Refused, entry: number, explained: Explained | null): Fault {
  const known = Object.hasOwn(faults, code) ? (code as FaultCode) : "INTERNAL"
  const { detail, next } = explained ?? { detail: faults[known][2] }
  const unchanged = of === "watch" ? "Nothing was changed." : `The ${of} was not made.`
  const notDone = of === "incident" ? "Nothing of the incident was changed." : unchanged
  const extras = { entry, notDone }
  return new Fault(known, detail, next === undefined ? extras : { ...extras, next })
}
