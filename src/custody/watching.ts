import { base64 } from "../bytes.ts"
import type { FaultCode } from "../fault.ts"
import type { Facts } from "../grant/decide.ts"
import type { Level } from "../grant/level.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import type { CaptureFacts, State } from "../log/state.ts"
import { modelInForce, modelOf } from "../log/watch-models.ts"
import { assessed, heldVerdict, verdictIn, watchCodes, type Told, type Watched } from "../log/watching.ts"
import { isEvidence, isOtherKind, scopeOf } from "../log/watch-scope.ts"
import { mustHold } from "../log/standing.ts"
import { fingerprint } from "../watch/fingerprint.ts"
import { watchKeys, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { localHour } from "./local-hour.ts"
import { assertReason } from "./motions.ts"
import { neighbourhoodOf } from "./networks.ts"
import { propose } from "./propose.ts"
import type { Registered } from "./register.ts"

/** An opening as the decision table judged it, and what it saw. */
export interface Decided {
  readonly code: FaultCode | null
  readonly facts: Facts | null
  readonly capture: CaptureFacts | null
  readonly level: Level
  readonly grant: string
  /** The id that was asked for, whether there is such a capture or not. */
  readonly asked: string
}

/** What the watch made of it: the code that refuses in the end, and what the entry says. */
export interface Seen {
  readonly code: FaultCode | null
  readonly watch: Watched | null
}

/**
 * Holds one opening against the watch, after the decision and before the charge, in the transaction that stores the entry. What
 * the decision table refuses stays refused with its own code; the watch refuses only what would have passed.
 */
export function watch(
  house: House,
  caller: Caller,
  of: { readonly decided: Decided; readonly state: State; readonly now_ms: number },
): Seen {
  const { decided, state, now_ms } = of
  const { code, facts, grant, asked } = decided
  if (!isEvidence({ code, facts, person: caller.person.person }, state, now_ms)) return { code, watch: null }
  const told = toldOf(house, caller, of)
  const { person, organization } = caller.person
  const kind = code === null ? "permit" : "refused"
  const opening = { kind, capture: asked, watch: told, person, organization, grant } as const
  const seen = { ...told, ...verdictIn(mustHold(assessed(opening, state, now_ms))) }
  const verdict = heldVerdict(seen)
  return { code: code ?? (verdict === "pass" ? null : watchCodes[verdict]), watch: seen }
}

function toldOf(
  house: House,
  { asked, address }: Caller,
  of: { readonly decided: Decided; readonly state: State; readonly now_ms: number },
): Told {
  const { decided, state, now_ms } = of
  const { facts, capture, level } = decided
  const { root } = house.keys
  const nameOf = (what: string, text: string) => fingerprint(base64(root.digest(what, text)))
  return {
    model: modelAtHand(state),
    mode: house.log.watch,
    scope: scopeOf(facts, capture?.id ?? null, now_ms),
    other_kind: isOtherKind(facts, level),
    off_hours: isOffHours(now_ms, capture === null ? null : state.record("port", capture.port)),
    place: capture === null ? null : placeOf(capture),
    network: address === null ? 0 : nameOf("network", neighbourhoodOf(address)),
    device: nameOf("device", asked.device?.key ?? asked.key),
  }
}

/** Another server put a model in force that this one has not read yet. */
export class ModelAway extends Error {
  readonly model: string

  constructor(model: string) {
    super("the model in force is not at hand")
    this.model = model
  }
}

function modelAtHand(state: State): string {
  const model = modelInForce(state)
  if (modelOf(model) === null) throw new ModelAway(model)
  return model
}

function placeOf({ port, lane, hour, sequence }: CaptureFacts): NonNullable<Told["place"]> {
  return { port, lane, day: hour.slice(0, 10), number: sequence }
}

/** Before 6, after 20 or at a weekend on the port's clock; by UTC where no port is known. */
function isOffHours(now_ms: number, port: { readonly time_zone: string } | null): boolean {
  const local = localHour(new Date(now_ms).toISOString(), port?.time_zone ?? "UTC")
  const [day, hour] = [new Date(`${local.slice(0, 10)}T00:00:00Z`).getUTCDay(), Number(local.slice(11, 13))]
  return hour < 6 || hour >= 20 || day === 0 || day === 6
}

/** Whom the watch asked says why, signed anew with key or passkey; the reason is committed to and kept apart. */
export async function answerWatch(house: House, caller: Caller): Promise<Registered> {
  assertReason(caller)
  const statement = caller.statement as EntryOf<"watch.answered">["statement"]
  const { asked, person } = caller
  const draft: Draft = { kind: "watch.answered", person: person.person, asked, statement }
  const records = await watchKeys(house, person.person)
  const { index } = await propose(house, caller, { of: "watch", draft, records })
  return { id: person.person, entry: index }
}
