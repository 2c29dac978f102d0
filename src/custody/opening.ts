import { Fault, type FaultCode } from "../fault.ts"
import { decide, nearest, type Ask, type Facts } from "../grant/decide.ts"
import { signerOfRequest } from "../log/standing.ts"
import { countsAfter, factsFor } from "../log/facts.ts"
import type { EntryOf } from "../log/kinds.ts"
import type { Appended, Drafted, Proposal } from "../log/sequencer.ts"
import { lookName, names, type State } from "../log/state.ts"
import { withTouch } from "./canaries.ts"
import { circleOf, contractKeys, recordOf, stopKeys, watchKeys, type Caller } from "./caller.ts"
import { wanting } from "../ledger/ledger.ts"
import { markCommitment } from "../mark/keys.ts"
import { denial } from "./denial.ts"
import type { House } from "./house.ts"
import { networkOf } from "./networks.ts"
import { refusedEntry, standingKeys } from "./propose.ts"
import { learnModel, rulesKey } from "./models.ts"
import { ModelAway, watch } from "./watching.ts"

type Permit = EntryOf<"permit">
type Stated = NonNullable<Permit["statement"]>

/** A clock this far behind the newest entry stops what leaves. */
const maxBehind_ms = 5000

/**
 * The first half of release and reveal: decides on one image, charges, and logs the permit or the refusal, all in one
 * transaction on rows that cannot change under it.
 * @returns the permit in the signed tree.
 * @throws Fault of the rule that refuses, with the index of the refusal's entry; LOG_UNWITNESSED; LOG_BEHIND.
 */
export async function permit(
  house: House,
  caller: Caller,
  purpose: "release" | "reveal",
  openings: NonNullable<Drafted["openings"]> = [],
): Promise<Appended> {
  const stated = caller.statement as Stated
  const told: { facts: Facts | null; unwitnessed: string | null } = { facts: null, unwitnessed: null }
  const wanted = await wantedFor(house, caller, stated)
  const proposal: Proposal = {
    wanted,
    draft: (state, now_ms) => {
      const newest_ms = Math.max(now_ms, house.log.witnesses?.newest?.stated_ms ?? 0)
      if (house.log.clock() < newest_ms - maxBehind_ms)
        throw new Fault("LOG_BEHIND", "the clock is over 5 s behind the log and its witnesses")
      told.unwitnessed = house.log.witnesses?.refusal(state.counter(names.opened)) ?? null
      const at = { state, now_ms }
      if (told.unwitnessed !== null) return withTouch(house, unwitnessed({ caller, stated, purpose }), at)
      const drafted = draftOpening(house, { caller, stated, purpose }, at)
      told.facts = drafted.facts
      const kept = drafted.entry.kind === "permit" ? openings : []
      return withTouch(house, { ...drafted, openings: kept }, at)
    },
  }
  const appended = await house.log.append(proposal).catch(async (error: unknown) => {
    if (!(error instanceof ModelAway)) throw error
    if ((await learnModel(house, error.model)) === null)
      throw new Fault("WATCH_MODEL", `the model in force, ${error.model}, is not in the log`, {
        notDone: `The ${purpose} was not made.`,
        next: "sallyport log fsck",
      })
    return house.log.append(proposal)
  })
  if (appended.entry.kind !== "refused") return appended
  if (told.unwitnessed !== null)
    throw new Fault("LOG_UNWITNESSED", told.unwitnessed, {
      entry: appended.index,
      notDone: `The ${purpose} was not made.`,
      next: "the same again, once the witnesses have seen the log: sallyport log status",
    })
  throw denial(appended.entry.code as FaultCode, {
    facts: told.facts,
    entry: appended.index,
    what: `The ${purpose} was not made.`,
    watch: appended.entry.watch ?? null,
  })
}

/** The refusal of an opening that the witnesses cannot have seen in time. */
function unwitnessed({ caller, stated, purpose }: Question): Drafted {
  const named = { grant: stated.grant, capture: stated.capture, asked: caller.asked, statement: stated }
  return refusedEntry({ of: purpose, code: "LOG_UNWITNESSED", person: caller.person.person, ...named })
}

/** What a caller asks of the decision table: himself, his device, and the network of the contract that he is in. */
export function askOf(caller: Caller, ask: Pick<Ask, "for" | "person" | "level">, facts: Facts | null): Ask {
  const networks = nearest((facts?.contracts ?? []).map(contract => contract.networks))
  return { ...ask, device: caller.asked.device?.key ?? null, network: networkOf(caller.address, networks) }
}

interface Question {
  readonly caller: Caller
  readonly stated: Stated
  readonly purpose: "release" | "reveal"
}

function draftOpening(
  house: House,
  question: Question,
  { state, now_ms }: { readonly state: State; readonly now_ms: number },
): Drafted & { readonly facts: Facts | null } {
  const { caller, stated, purpose } = question
  const { asked } = caller
  const capture = state.capture(stated.capture)
  const { lane = "", hour = "", admitted = -1, faces = null } = capture ?? {}
  // The door saw the key a moment ago; what counts is whose it is in the transaction that charges.
  const signer = signerOfRequest(asked.key, state)
  const person = signer ?? caller.person
  const facts = factsFor(state, {
    person,
    grant: stated.grant,
    capture: { capture: stated.capture, lane, hour, admitted, faces },
    now_ms,
  })
  const ask = askOf(caller, { for: purpose, person: person.person, level: stated.level }, facts)
  const { network } = ask
  const decision = signer === null ? "KEY_UNKNOWN" : verdictOn({ ask, facts, capture }, now_ms)
  const { level, grant: named, capture: of } = stated
  const decided = { code: decision, facts, capture, level, grant: named, asked: of }
  const { code, watch: seen } = watch(house, { ...caller, person }, { decided, state, now_ms })
  if (code !== null || facts === null || capture === null) {
    const named = { grant: stated.grant, capture: of, network, watch: seen, asked, statement: stated }
    return {
      ...refusedEntry({ of: purpose, code: code ?? "NOT_FOUND", person: person.person, ...named }),
      facts,
    }
  }
  const { grant } = facts
  const entry: Omit<Permit, "v" | "at"> = {
    kind: "permit",
    for: purpose,
    capture: capture.id,
    lane,
    hour,
    level: stated.level,
    ...(grant.terms.region === undefined ? {} : { region: grant.terms.region }),
    admitted: capture.admitted,
    examined: capture.examined,
    faces,
    by: {
      person: person.person,
      organization: person.organization,
      grant: grant.grant,
      purpose: grant.terms.purpose,
      terms_sha256: grant.terms_sha256,
      ...countsAfter(facts),
      network,
    },
    examiner: null,
    mark_sha256: markCommitment(house.keys.root.markKeys(capture.bodySha256, person.person)),
    ...(seen === null ? {} : { watch: seen }),
    asked,
    statement: stated,
  }
  return { entry, facts }
}

function verdictOn(
  {
    ask,
    facts,
    capture,
  }: { readonly ask: Ask; readonly facts: Facts | null; readonly capture: ReturnType<State["capture"]> },
  now_ms: number,
): FaultCode | null {
  if (facts === null) return "GRANT_UNKNOWN"
  return capture === null ? "NOT_FOUND" : decide(ask, facts, now_ms)
}

/** Every row that the decision on one image reads. */
export async function wantedFor(
  house: House,
  caller: Caller,
  { grant: id, capture, lane }: { readonly grant: string; readonly capture: string; readonly lane?: string },
): Promise<Proposal["wanted"]> {
  const grant = await recordOf(house, "grant", id)
  const circle = await circleOf(house, caller)
  const root = circle.at(-1)?.id ?? ""
  const held = await house.ledger.capture(capture)
  const at = lane ?? held?.lane ?? ""
  return wanting({
    records: [
      ...circle,
      { kind: "grant", id },
      ...(grant?.terms.contract == null ? [] : await contractKeys(house, grant.terms.contract)),
      ...standingKeys,
      { kind: "look", id: lookName(id, capture) },
      ...(await stopKeys(house, at)),
      ...(await watchKeys(house, caller.person.person)),
      rulesKey,
      ...(held === null ? [] : [{ kind: "port", id: held.port }]),
      ...["vault", root, caller.person.person].map(user => ({ kind: "usage", id: user })),
    ],
    counters: [names.images(id), names.releases(id), names.people(id), names.opened],
    members: [
      { set: names.released(id), member: capture },
      { set: names.held(root), member: capture },
    ],
    captures: [capture],
  })
}
