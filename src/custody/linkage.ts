import { randomBytes } from "node:crypto"
import { hex, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import { newId } from "../ids.ts"
import type { Plan } from "../incident/plan-shape.ts"
import type { FacePlan, FaceSeen } from "../incident/face-plan.ts"
import { usualSeparation } from "../incident/occupancy.ts"
import { linkageOf, usualThresholds, vehiclesOf, type PlateRead } from "../incident/vehicles.ts"
import { wanting, type CaptureRow } from "../ledger/ledger.ts"
import { judge } from "../log/judge.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { linkageLimits } from "../log/linkage-kinds.ts"
import type { Box } from "../picture/level.ts"
import { forget } from "../reading/describer.ts"
import { leastFace_px } from "../reading/face-descriptor.ts"
import { sha256Hex, type Withdrawn } from "../vault/vault.ts"
import type { Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { assertVersion, incidentOf } from "./incident-record.ts"
import { scopedAgain } from "./incidents.ts"
import { plannedApart } from "./linkage-planner.ts"
import { describedPatiently, patiently } from "./patience.ts"
import { readsOf } from "./plate-reads.ts"
import { propose } from "./propose.ts"
import { openedFor, type Errand } from "./system-opening.ts"

/** A linkage: the machine's run over what left, which ends with a plan of pairs for people, and with nothing that describes a face. */

export interface LinkageOpening {
  readonly linkage: string
  readonly entry: number
  readonly images: number
}

/** How far the machine is, in the memory of the server that runs it. */
export interface Progress {
  readonly phase: "opening" | "planning" | "failed"
  readonly done: number
  readonly of: number
  /** Of `failed`, in words. */
  readonly why: string | null
}

const running = new WeakMap<House, Map<string, Progress>>()

function runningOf(house: House): Map<string, Progress> {
  const held = running.get(house) ?? new Map<string, Progress>()
  running.set(house, held)
  return held
}

/** How far this server is with a linkage; `null` where it runs none of this id, or it is done. */
export function progressOf(house: House, linkage: string): Progress | null {
  return runningOf(house).get(linkage) ?? null
}

/**
 * Opens a linkage of what the newest scope counts, and starts the machine's run; the seed of the sample is drawn now that the set is
 * fixed, and in the log before anything is opened.
 * @throws Fault BUSY while this server runs another; INCIDENT_VERSION; of `scopedAgain`; of the rule that refuses.
 */
export async function openLinkage(house: House, caller: Caller, incident: string): Promise<LinkageOpening> {
  const all = runningOf(house)
  if ([...all.values()].some(({ phase }) => phase !== "failed"))
    throw new Fault("BUSY", "this server runs a linkage already; ask again when it is done", {
      next: `sallyport incident linkage ${incident}`,
    })
  const linkage = newId("lnk")
  all.set(linkage, { phase: "opening", done: 0, of: 0, why: null })
  try {
    return await opened(house, caller, { incident, linkage })
  } catch (error) {
    all.delete(linkage)
    throw error
  }
}

async function opened(
  house: House,
  caller: Caller,
  { incident, linkage }: Pick<Run, "incident" | "linkage">,
): Promise<LinkageOpening> {
  const statement = caller.statement as EntryOf<"linkage.opened">["statement"]
  const held = await incidentOf(house, incident)
  assertVersion(held, statement.version)
  const { captures } = await scopedAgain(house, held)
  const seed = hex(randomBytes(32))
  const draft: Draft = {
    ...{ kind: "linkage.opened", linkage, incident, person: caller.person.person, seed },
    ...{ scoped: held.scoped?.entry ?? 0, images: captures.left.length, asked: caller.asked, statement },
  }
  const records = [
    { kind: "incident", id: incident },
    { kind: "linkage", id: linkage },
  ]
  const { index } = await propose(house, caller, { of: "incident", draft, records })
  const run: Run = { linkage, incident, seed, sample: statement.sample, errand: errandOf(linkage, records) }
  void ran(house, run, captures.left)
  return { linkage, entry: index, images: captures.left.length }
}

function errandOf(linkage: string, records: Errand["records"]): Errand {
  return { of: { for: "link", linkage }, records }
}

interface Run {
  readonly linkage: string
  readonly incident: string
  readonly seed: string
  readonly sample: number
  readonly errand: Errand
}

/** What was found so far. */
interface Found {
  readonly faces: FaceSeen[]
  readonly descriptors: Float32Array[]
  readonly reads: PlateRead[]
  unclustered: number
  undetermined: number
  gone: number
  unreadable: number
}

async function ran(house: House, run: Run, captures: readonly string[]): Promise<void> {
  const found: Found = {
    ...{ faces: [], descriptors: [], reads: [] },
    ...{ unclustered: 0, undetermined: 0, gone: 0, unreadable: 0 },
  }
  const at = (phase: Progress["phase"], done: number, why: string | null = null) =>
    runningOf(house).set(run.linkage, { phase, done, of: captures.length, why })
  let done = 0
  try {
    at("opening", 0)
    for (const capture of captures) {
      await take(house, run, { capture, found })
      at("opening", (done += 1))
    }
    at("planning", done)
    await plan(house, run, found)
    runningOf(house).delete(run.linkage)
  } catch (error) {
    at("failed", done, error instanceof Error ? error.message : String(error))
  } finally {
    forget(found.descriptors)
  }
}

/** One original: its faces described, its reads kept, and nothing else of it. */
async function take(
  house: House,
  run: Run,
  { capture, found }: { readonly capture: string; readonly found: Found },
): Promise<void> {
  const [row, opened] = [await house.ledger.capture(capture), await openedFor(house, run.errand, capture)]
  if (row === null || opened === null) {
    found.gone += 1
    found.unclustered += row?.faces ?? 0
    if (row?.faces === null) found.undetermined += 1
    return
  }
  const seen = seenOf(row)
  found.reads.push(...readsOf(opened, seen))
  const boxes = opened.findings?.faces ?? null
  if (boxes === null) {
    found.undetermined += 1
    return
  }
  await describeFaces(house, { opened, boxes, seen }, found)
}

async function describeFaces(
  house: House,
  of: { readonly opened: Withdrawn; readonly boxes: readonly Box[]; readonly seen: Seen },
  found: Found,
): Promise<void> {
  const { opened, boxes, seen } = of
  const large = boxes.flatMap((box, n) => (isLarge(box) ? [{ box, n }] : []))
  const room = Math.max(0, linkageLimits.faces - found.faces.length)
  const chosen = large.slice(0, room)
  found.unclustered += boxes.length - chosen.length
  if (chosen.length === 0) return
  const faces = chosen.map(({ box }) => box)
  const described = await describedPatiently(house.pictures.describer, { picture: opened.picture, faces })
  if (described === null) {
    found.unreadable += 1
    found.unclustered += chosen.length
    return
  }
  for (const [i, descriptor] of described.descriptors.entries()) {
    if (descriptor === null) {
      found.unclustered += 1
      continue
    }
    found.faces.push({ ...seen, id: `${seen.capture}/${chosen[i]?.n ?? 0}`, isAlone: boxes.length === 1 })
    found.descriptors.push(descriptor)
  }
}

function isLarge({ width_px, height_px }: Box): boolean {
  return Math.min(width_px, height_px) >= leastFace_px
}

/** When and where an image was taken, as its header says. */
export type Seen = Pick<FaceSeen, "capture" | "port" | "lane" | "crossing" | "at_ms">

function seenOf({ id, port, lane, headerJson }: CaptureRow): Seen {
  const { crossing, captured_at } = JSON.parse(headerJson) as { crossing: string; captured_at: string }
  return { capture: id, port, lane, crossing, at_ms: Date.parse(captured_at) }
}

/** Groups, samples, keeps the plan sealed, and says so in the log. */
async function plan(house: House, { linkage, incident, seed, sample }: Run, found: Found): Promise<void> {
  const { faces, descriptors } = found
  const drawn = { seed, sample }
  const { plan: pairs, searched }: FacePlan = await patiently(() =>
    plannedApart({ faces, descriptors, drawn }),
  )
  const text = canonical(pairs)
  await house.objects.putIfAbsent(planName(incident, linkage), house.keys.root.wrap(keyName(linkage), text))
  const draft: Draft = {
    ...{ kind: "linkage.planned", linkage, incident, faces: pairs.faces, clusters: pairs.clusters },
    ...{ unclustered: found.unclustered, undetermined: found.undetermined },
    ...{ gone: found.gone, unreadable: found.unreadable, pairs: pairs.pairs.length, searched },
    ...{ plan_sha256: sha256Hex(utf8(text)), vehicles: vehiclesIn(found.reads) },
  }
  await house.log.append({
    wanted: wanting({
      records: [
        { kind: "linkage", id: linkage },
        { kind: "incident", id: incident },
      ],
    }),
    draft: (state, now_ms) => {
      const code = judge(draft, state, now_ms)
      if (code !== null) throw new Fault(code, `the linkage ${linkage} was planned already, or is over`)
      return { entry: draft }
    },
  })
}

function vehiclesIn(reads: readonly PlateRead[]): EntryOf<"linkage.planned">["vehicles"] {
  if (reads.length === 0) return null
  const rules = {
    thresholds: usualThresholds,
    separation: usualSeparation,
    clerk: new Map<string, boolean>(),
  }
  const { at_least, at_most, linkedLow, point, linkedHigh, texts } = vehiclesOf(
    reads,
    linkageOf(reads),
    rules,
  )
  return { reads: reads.length, texts, at_least, at_most, low: linkedLow, point, high: linkedHigh }
}

function planName(incident: string, linkage: string): string {
  return `incidents/${incident}/plan-${linkage}`
}

function keyName(linkage: string): string {
  return `linkage/${linkage}`
}

const plans = new WeakMap<House, Map<string, Plan>>()
const mostPlans = 4

/** The plan of a linkage, held against its digest in the log. @throws Fault VAULT_OBJECT, SEAL_KEY */
export async function planAt(
  house: House,
  of: { readonly linkage: string; readonly incident: string; readonly plan_sha256: string },
): Promise<Plan> {
  const held = plans.get(house) ?? new Map<string, Plan>()
  plans.set(house, held)
  const known = held.get(of.linkage)
  if (known !== undefined) return known
  const bytes = await planBytes(house, of)
  const read = JSON.parse(textOf(bytes) ?? "null") as Plan
  const [oldest] = held.keys()
  if (held.size >= mostPlans && oldest !== undefined) held.delete(oldest)
  held.set(of.linkage, read)
  return read
}

/** The same as canonical JSON, for a pack. */
export async function planBytes(
  house: House,
  of: { readonly linkage: string; readonly incident: string; readonly plan_sha256: string },
): Promise<Uint8Array> {
  const sealed = await house.objects.get(planName(of.incident, of.linkage))
  const bytes = sealed === null ? null : utf8(house.keys.root.unwrap(keyName(of.linkage), sealed))
  if (bytes === null || sha256Hex(bytes) !== of.plan_sha256)
    throw new Fault("VAULT_OBJECT", "the stored plan is not the one that the log names", {
      next: `sallyport incident link ${of.incident}: a new run, with another sample`,
    })
  return bytes
}
