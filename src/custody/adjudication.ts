import { Fault } from "../fault.ts"
import type { Pair, Plan } from "../incident/plan-shape.ts"
import { Answers, findingsOf, nextFor, saidIn, type Answer, type Findings } from "../incident/answers.ts"
import { estimated, looksNeeded } from "../incident/estimated.ts"
import { estimateIn, withEstimate, type Estimate } from "../incident/with-estimate.ts"
import type { ScopeResult } from "../incident/scope.ts"
import type { IncidentState } from "../log/incidents.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import type { LinkageState } from "../log/linkages.ts"
import { names } from "../log/state.ts"
import type { Box } from "../picture/level.ts"
import { recordOf, type Caller } from "./caller.ts"
import { entryOfKind } from "./copies.ts"
import type { House } from "./house.ts"
import { resultOf } from "./incident-record.ts"
import { planAt, planBytes, progressOf, type Progress } from "./linkage.ts"
import { shownIn } from "./preview.ts"
import { propose } from "./propose.ts"

/** Whether two faces are one person's: who is asked what, what was said, and what it comes to. */

/** A linkage as the log has it. @throws Fault NOT_FOUND */
export async function linkageOf(house: House, linkage: string): Promise<LinkageState> {
  const held = await recordOf(house, "linkage", linkage)
  if (held === null) throw new Fault("NOT_FOUND", `there is no linkage ${linkage}`)
  return held
}

type Planned = NonNullable<LinkageState["planned"]>

/** @throws Fault CONFLICT while the machine is not done. */
function plannedOf({ linkage, incident, planned }: LinkageState): Planned {
  if (planned !== null) return planned
  throw new Fault("CONFLICT", `the machine has not planned the linkage ${linkage} yet`, {
    next: `sallyport incident linkage ${incident}`,
  })
}

/** What was said up to one entry, kept so that each is read once. */
interface Heard {
  readonly answers: Answer[]
  /** Entries of them. */
  entries: number
  turn: Promise<unknown>
}

const heard = new WeakMap<House, Map<string, Heard>>()

/** Every answer of a linkage, in the order of the log. */
async function answersOf(house: House, held: LinkageState, plan: Plan): Promise<readonly Answer[]> {
  const all = heard.get(house) ?? new Map<string, Heard>()
  heard.set(house, all)
  const one = all.get(held.linkage) ?? { answers: [], entries: 0, turn: Promise.resolve() }
  all.set(held.linkage, one)
  const turn = one.turn.then(async () => {
    while (one.entries < held.answered) {
      const index = await house.ledger.member(names.answers(held.linkage), String(one.entries + 1))
      const { person, statement } = await entryOfKind(house, index, "linkage.answered")
      one.answers.push(...saidIn(plan, person, statement.answers))
      one.entries += 1
    }
  })
  one.turn = turn.catch(() => undefined)
  await turn
  return one.answers
}

/** A face as a silhouette: boxes of what was found around it, by which nobody is recognized. */
export interface Silhouette {
  readonly capture: string
  readonly lane: string
  /** Local hour of the port. */
  readonly hour: string
  readonly width_px: number
  readonly height_px: number
  readonly face: Box
  readonly faces: readonly Box[]
  readonly plates: readonly Box[]
}

export interface AskedPair {
  /** Its place in the plan. What the machine says of it, and whether its truth is known, is not told. */
  readonly pair: number
  readonly subject: Silhouette
  readonly other: Silhouette
}

/** The next pairs for a person to look at, at most `limit`. */
export async function pairsFor(
  house: House,
  linkage: string,
  { by, limit }: { readonly by: string; readonly limit: number },
): Promise<{ readonly pairs: readonly AskedPair[]; readonly planned: number }> {
  const held = await linkageOf(house, linkage)
  const plan = await planAt(house, { ...held, ...plannedOf(held) })
  const answers = new Answers(await answersOf(house, held, plan))
  const places: number[] = []
  for (let from = 0; places.length < limit;) {
    const nth = nextFor(plan, answers, { by, needed: looksNeeded, from })
    if (nth === null) break
    places.push(nth)
    from = nth + 1
  }
  const pairs: AskedPair[] = []
  for (const pair of places) {
    const { subject, other } = plan.pairs[pair] as Pair
    pairs.push({ pair, subject: await silhouetteOf(house, subject), other: await silhouetteOf(house, other) })
  }
  return { pairs, planned: plan.pairs.length }
}

async function silhouetteOf(house: House, face: string): Promise<Silhouette> {
  const [capture = "", nth = ""] = face.split("/")
  const row = await house.ledger.capture(capture)
  const found = row === null ? null : await shownIn(house, row)
  const box = found?.faces?.[Number(nth)]
  if (row === null || found === null || box === undefined)
    throw new Fault("LEDGER_DIFFERS", `the ledger has no face ${face} any more`)
  const { width_px, height_px, faces, plates } = found
  const place = { capture, lane: row.lane, hour: row.hour, width_px, height_px }
  return { ...place, face: box, faces: faces ?? [], plates }
}

/** Takes what one person says of pairs; an answer of his to the same pair again is put in place of the first. */
export async function answerPairs(house: House, caller: Caller, linkage: string) {
  const statement = caller.statement as EntryOf<"linkage.answered">["statement"]
  const held = await linkageOf(house, linkage)
  plannedOf(held)
  const draft: Draft = {
    ...{ kind: "linkage.answered", linkage, incident: held.incident, person: caller.person.person },
    ...{ asked: caller.asked, statement },
  }
  const { index } = await propose(house, caller, { of: "incident", draft, records: keysOf(held) })
  return { linkage, entry: index, answers: statement.answers.length }
}

function keysOf({ linkage, incident }: LinkageState) {
  return [
    { kind: "linkage", id: linkage },
    { kind: "incident", id: incident },
  ]
}

export interface EstimateMade {
  readonly linkage: string
  readonly entry: number
  readonly interval: Estimate["interval"]
  readonly findings: Omit<Findings, "sampled"> & { readonly sampled: number }
}

/** What the answers come to by now, as an entry. @throws Fault CONFLICT where somebody answered meanwhile. */
export async function estimateLinkage(house: House, caller: Caller, linkage: string): Promise<EstimateMade> {
  const statement = caller.statement as EntryOf<"linkage.estimated">["statement"]
  const held = await linkageOf(house, linkage)
  if (held.answered === 0)
    throw new Fault("CONFLICT", `nobody answered a pair of the linkage ${linkage} yet`, {
      notDone: "Nothing was estimated.",
      next: `sallyport incident adjudicate ${held.incident}`,
    })
  if (held.answered !== statement.answered)
    throw new Fault(
      "CONFLICT",
      `${held.answered} entries with answers are there, not ${statement.answered}`,
      {
        notDone: "Nothing was estimated.",
        next: `sallyport incident estimate ${held.incident}`,
      },
    )
  const { findings, interval } = await foundOf(house, held, statement.dependence)
  const sampled = findings.sampled.length
  const draft: Draft = {
    ...{ kind: "linkage.estimated", linkage, incident: held.incident, person: caller.person.person },
    ...{ scoped: held.scoped, sampled, interval, asked: caller.asked, statement },
  }
  const { index } = await propose(house, caller, { of: "incident", draft, records: keysOf(held) })
  return { linkage, entry: index, interval, findings: { ...findings, sampled } }
}

async function foundOf(house: House, held: LinkageState, dependence: "tested" | "measured") {
  const planned = plannedOf(held)
  const plan = await planAt(house, { ...held, ...planned })
  const answers = await answersOf(house, held, plan)
  return estimated(plan, answers, { dependence, searched: planned.searched })
}

export interface LinkageShown extends LinkageState {
  /** Of the machine's run in this server. */
  readonly progress: Progress | null
  /** Of the answers so far. */
  readonly findings: FindingsShown | null
}

/** What is known of pairs of known truth is `null` while it would tell who answers which they are. */
export interface FindingsShown extends Pick<Findings, "unresolved" | "open"> {
  readonly sampled: number
  readonly controls: Findings["controls"] | null
  readonly agreement: Findings["agreement"] | null
}

/** Whether nothing is spoilt by telling which truths are known: nobody is asked any more, or an interval is in the log. */
function isOver({ intervals }: LinkageState, { open }: Findings): boolean {
  return intervals > 0 || open === 0
}

/** A linkage with how far machine and people are; nobody is told an interval before it is in the log. */
export async function shownLinkage(house: House, linkage: string): Promise<LinkageShown> {
  const held = await linkageOf(house, linkage)
  const progress = progressOf(house, linkage)
  if (held.planned === null) return { ...held, progress, findings: null }
  const findings = await soFar(house, held)
  const shown = { ...findings, sampled: findings.sampled.length }
  const isTold = isOver(held, findings)
  return { ...held, progress, findings: isTold ? shown : { ...shown, controls: null, agreement: null } }
}

async function soFar(house: House, held: LinkageState): Promise<Findings> {
  const plan = await planAt(house, { ...held, ...plannedOf(held) })
  return findingsOf(plan, new Answers(await answersOf(house, held, plan)), looksNeeded)
}

/** The plan, for whoever judges an estimate again. @throws Fault CONFLICT while it would tell who answers which truths are known. */
export async function planForPack(house: House, linkage: string): Promise<Uint8Array> {
  const held = await linkageOf(house, linkage)
  if (held.estimated === null || !isOver(held, await soFar(house, held)))
    throw new Fault("CONFLICT", `no interval was estimated from the linkage ${linkage} yet, and pairs wait`, {
      next: `sallyport incident estimate ${held.incident}`,
    })
  return planBytes(house, { ...held, ...plannedOf(held) })
}

/** The newest estimate of what the newest scope counts, or `null`. */
export async function estimateOf(house: House, held: IncidentState): Promise<Estimate | null> {
  const linkage = held.linkage === null ? null : await recordOf(house, "linkage", held.linkage)
  return linkage === null ? null : estimateIn(linkage, held)
}

/** The newest result, with the estimate of people where there is one. */
export async function statedResult(house: House, held: IncidentState): Promise<ScopeResult> {
  return withEstimate(await resultOf(house, held), await estimateOf(house, held))
}
