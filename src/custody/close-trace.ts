import { base64 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { wanting } from "../ledger/ledger.ts"
import { judge } from "../log/judge.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { biasesOf, chipsOf } from "../mark/code.ts"
import { markCommitment } from "../mark/keys.ts"
import { saidBy, type Testimony } from "../mark/testimony.ts"
import {
  accuseAt_log10,
  log10Tried,
  together,
  weightOf,
  type Held,
  type Tried,
  type Weight,
} from "../mark/verdict.ts"
import { entryOfKind, holdersOf, type Holder } from "./copies.ts"
import type { House } from "./house.ts"
import { forgetTrace, openOne, traceOf, type Looked } from "./trace.ts"

type Verdict = EntryOf<"trace.closed">["verdicts"][number]

/** Whom a file was made for, with what an opponent needs to judge it again. */
export interface Accused extends Holder {
  readonly by: Verdict["people"][number]["by"]
  readonly log10_bound: number
  readonly deviations: number | null
  readonly statistic: Weight["statistic"] | null
  readonly emphasis: Weight["emphasis"] | null
  /** The receipt of the delivery with its permit, or of the permit alone. */
  readonly receipt: string
  readonly proof: Proof | null
}

/** Chips and evidence: who has them needs nobody's word for the score (docs/formats/mark.md). */
export interface Proof {
  readonly mark_sha256: string
  /** Base64, 32 bytes each. */
  readonly codeword_key: string
  readonly bias_key: string
  /** Base64 of little-endian 32-bit floats, one for each chip. */
  readonly evidence: string
}

export interface FileReport {
  readonly file: string
  readonly verdict: Verdict["verdict"]
  /** In one sentence. */
  readonly said: string
  readonly capture: string | null
  /** SHA-256 of the sealed body, as the entry `admitted` has it. */
  readonly original_sha256: string | null
  readonly shown_px: number | null
  readonly likeness: number | null
  readonly is_mirrored: boolean
  /** Whether it is its negative that shows the original. */
  readonly is_negative: boolean
  readonly originals_compared: readonly string[]
  /** How many people had a copy of the original, and what spoke most for any of them. */
  readonly holders: number
  readonly strongest: Weight | null
  readonly people: readonly Accused[]
  /** Whether its original is a canary; only in what those are told who may know. */
  readonly is_canary?: boolean
}

export interface TraceReport {
  readonly trace: string
  readonly opened_entry: number
  readonly entry: number
  /** Of the entry `trace.closed`. */
  readonly receipt: string
  readonly tried: Tried & { readonly log10: number }
  readonly files: readonly FileReport[]
  readonly limits: readonly string[]
}

/** What an accusation is not. */
const limits = [
  "A copy made for somebody can be stolen from him: the trace says whose copy it is, never who passed it on.",
  "Whoever holds the vault's root key can make any copy.",
  "Pictures of what a copy shows, drawn or typed anew, carry no mark.",
  "The bound holds for people who had no part in the leak; it says nothing of how likely a guilty one is found.",
] as const

/** Beyond so many people nobody is judged: it would take minutes, and weaken the bound for all. */
const mostHolders = 5000

/** Files that show less than this are pooled with each other. */
const small_px = 50_000

/**
 * That several files together are somebody's does not make each of them his. One is counted to them only where it speaks for
 * him by itself so much that, of all that was tried in the case, one in a thousand would.
 */
const supports_log10 = -3

interface Candidate {
  readonly looked: Looked
  readonly original_sha256: string
  readonly bias: Uint8Array
  /** `null` where they are too many to be judged. */
  readonly holders: readonly Holder[] | null
}

/**
 * Ends a trace: holds each file against everybody who had a copy of its original, and all together. Which files are pooled,
 * and how much is tried, is fixed before the first score. The verdicts are an entry; the report has what it takes to judge
 * them again.
 * @throws Fault CONFLICT while a file was not brought; NOT_FOUND; of the rule that refuses.
 */
export async function closeTrace(house: House, trace: string): Promise<TraceReport> {
  const one = openOne(house, trace)
  const { runs, entry: opened_entry } = await traceOf(house, trace)
  const looks = [...one.files.values()]
  const missing = looks.filter(each => each === null).length
  if (missing > 0)
    throw new Fault("CONFLICT", `${missing} of ${looks.length} files were not brought yet`, {
      notDone: "Nobody was judged.",
      next: `POST /v1/traces/${trace}/files for each of them`,
    })
  const all = looks as readonly Looked[]
  const candidates = await candidatesOf(house, all)
  const tried = {
    originals: Math.max(
      1,
      all.reduce((sum, each) => sum + each.tried.length, 0),
    ),
    holders: Math.max(1, ...candidates.map(({ holders }) => holders?.length ?? 0)),
    files: all.length,
    runs,
  }
  const judged = await judgedFiles(house, { all, candidates, tried })
  const draft: Draft = { kind: "trace.closed", trace, verdicts: judged.map(verdictOf) }
  const appended = await house.log.append({
    wanted: wanting({ records: [{ kind: "trace", id: trace }] }),
    draft: (state, now_ms) => {
      const code = judge(draft, state, now_ms)
      if (code !== null) throw new Fault(code, `the trace ${trace} is closed already`)
      return { entry: draft }
    },
  })
  forgetTrace(house, trace)
  return {
    ...{ trace, opened_entry, entry: appended.index, receipt: await house.log.receipt(appended) },
    tried: { ...tried, log10: log10Tried(tried) },
    files: judged,
    limits,
  }
}

async function candidatesOf(house: House, all: readonly Looked[]): Promise<readonly Candidate[]> {
  const found: Candidate[] = []
  for (const looked of all) {
    if (looked.capture === null || looked.comparison === null) continue
    const row = await house.ledger.capture(looked.capture)
    if (row === null) continue
    const { biases } = house.keys.root.markKeys(row.bodySha256, "")
    const bias = biasesOf(biases, looked.comparison.plain.length)
    const holders = await holdersOf(house, looked.capture, mostHolders)
    found.push({ looked, original_sha256: row.bodySha256, bias, holders })
  }
  return found
}

interface Case {
  readonly all: readonly Looked[]
  readonly candidates: readonly Candidate[]
  readonly tried: Tried
}

async function judgedFiles(house: House, { all, candidates, tried }: Case): Promise<readonly FileReport[]> {
  const pools = [candidates, candidates.filter(({ looked }) => (looked.comparison?.shown_px ?? 0) < small_px)]
  const pooled = pools.map(pool => pooledIn(house, pool, tried))
  const reports: FileReport[] = []
  for (const looked of all) {
    // Scores of many people take seconds in all; whoever else asks is answered in between.
    await new Promise(resolve => setImmediate(resolve))
    const candidate = candidates.find(each => each.looked === looked)
    if (looked.delivered !== null) reports.push(await byDigest(house, looked, looked.delivered))
    else if (candidate === undefined) reports.push(withoutOriginal(looked))
    else reports.push(await byMark(house, candidate, { tried, pooled }))
  }
  return reports
}

/** Of each person with copies of several of these originals: how much all of them speak for him together. */
function pooledIn(house: House, pool: readonly Candidate[], tried: Tried): ReadonlyMap<string, Weight> {
  const people = new Map<string, Candidate[]>()
  for (const candidate of pool)
    for (const { person } of candidate.holders ?? []) {
      const files = people.get(person) ?? []
      files.push(candidate)
      people.set(person, files)
    }
  const several = [...people].filter(([, files]) => files.length > 1)
  return new Map(several.map(([person, files]) => [person, weightOf(allHeldBy(house, files, person), tried)]))
}

/** Made for one person at a time: thousands of people's codewords are more than memory holds. */
function allHeldBy(house: House, files: readonly Candidate[], person: string): readonly Held[] {
  const held = new Map<string, Held>()
  for (const candidate of files) {
    const mine = heldBy(house, candidate, person)
    const before = held.get(candidate.original_sha256)
    held.set(candidate.original_sha256, before === undefined ? mine : together(before, mine))
  }
  return [...held.values()]
}

const silence: Testimony = { plain: new Float32Array(), even: new Float32Array(), quantised: null }

function heldBy(house: House, { looked, original_sha256, bias }: Candidate, person: string): Held {
  const { codeword } = house.keys.root.markKeys(original_sha256, person)
  return {
    testimony: looked.comparison ?? silence,
    codeword: { biases: bias, chips: chipsOf(codeword, bias) },
  }
}

async function byMark(
  house: House,
  candidate: Candidate,
  { tried, pooled }: { readonly tried: Tried; readonly pooled: readonly ReadonlyMap<string, Weight>[] },
): Promise<FileReport> {
  const { looked, holders } = candidate
  const base = baseOf(looked, candidate.original_sha256)
  if (holders === null)
    return {
      ...base,
      holders: mostHolders,
      said: `More than ${mostHolders} people had a copy of its original: nobody was judged.`,
    }
  const weighed = holders.map(holder => ({
    holder,
    weight: weightOf([heldBy(house, candidate, holder.person)], tried),
  }))
  weighed.sort(
    (a, b) => a.weight.log10_bound - b.weight.log10_bound || b.weight.deviations - a.weight.deviations,
  )
  const single = weighed.filter(({ weight }) => weight.log10_bound <= accuseAt_log10)
  const pooledFor = weighed.flatMap(({ holder, weight }) => {
    const best = pooled
      .map(each => each.get(holder.person))
      .filter(each => each !== undefined)
      .find(each => each.log10_bound <= accuseAt_log10)
    const isHis = weight.log10_bound <= supports_log10
    return best !== undefined && isHis ? [{ holder, weight: best }] : []
  })
  const by = single.length > 0 ? "mark" : "pool"
  const accused = (single.length > 0 ? single : pooledFor).slice(0, 16)
  const people = await Promise.all(
    accused.map(({ holder, weight }) => accusedOf(house, candidate, { holder, weight, by })),
  )
  return {
    ...base,
    ...(people.length === 0 ? {} : { verdict: "accused" as const }),
    holders: holders.length,
    strongest: weighed[0]?.weight ?? null,
    people,
    said: saidOf(candidate, people),
  }
}

function saidOf({ looked, holders }: Candidate, people: readonly Accused[]): string {
  const shown = `${(looked.comparison?.shown_px ?? 0).toLocaleString("en-US")} pixels of ${looked.capture ?? ""}`
  if (people.length > 0) {
    const names = people.map(({ person }) => person).join(" and ")
    const how = people[0]?.by === "pool" ? "together with other files of this trace" : "by itself"
    return `This copy was made for ${names}: its mark says so ${how}.`
  }
  if (holders?.length === 0) return `It shows ${shown}, of which no copy was ever released.`
  return `It shows ${shown}, of which ${holders?.length ?? 0} people had copies; the mark of none of them is strong enough in it to name anybody.`
}

async function accusedOf(
  house: House,
  candidate: Candidate,
  { holder, weight, by }: { readonly holder: Holder; readonly weight: Weight; readonly by: "mark" | "pool" },
): Promise<Accused> {
  const keys = house.keys.root.markKeys(candidate.original_sha256, holder.person)
  const evidence = saidBy(candidate.looked.comparison ?? silence, weight.statistic)
  return {
    ...holder,
    ...weight,
    by,
    receipt: await house.log.receiptAt(holder.delivered ?? holder.permit),
    proof: {
      mark_sha256: markCommitment(keys),
      codeword_key: base64(keys.codeword),
      bias_key: base64(keys.biases),
      evidence: base64(littleEndian(evidence)),
    },
  }
}

function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length))
  values.forEach((value, i) => view.setFloat32(4 * i, value, true))
  return new Uint8Array(view.buffer)
}

/** The bytes are those of a delivery: SHA-256 says so, and no mark is asked. */
async function byDigest(house: House, looked: Looked, delivered: number): Promise<FileReport> {
  const { permit } = await entryOfKind(house, delivered, "delivered")
  const { by, at, level } = await entryOfKind(house, permit, "permit")
  if (by === null) throw new Fault("INTERNAL", `the permit ${permit} of a delivery is for nobody`)
  const { person, organization, grant } = by
  const accused: Accused = {
    ...{ person, organization, grant, permit, delivered, at, level, by: "digest" },
    ...{ log10_bound: digest_log10, deviations: null, statistic: null, emphasis: null, proof: null },
    receipt: await house.log.receiptAt(delivered),
  }
  return {
    ...baseOf(looked, null),
    ...{ verdict: "accused", people: [accused], holders: 1 },
    said: `These are the very bytes of the copy that was made for ${person}.`,
  }
}

/** That other bytes have this SHA-256, by chance: 2⁻²⁵⁶. */
const digest_log10 = -77

function withoutOriginal(looked: Looked): FileReport {
  const isReadable = looked.is !== "unreadable"
  return {
    ...baseOf(looked, null),
    verdict: isReadable ? "nobody" : "unreadable",
    said: `${isReadable ? "Nobody is named" : "It could not be read"}: ${looked.why ?? ""}.`,
  }
}

function baseOf(looked: Looked, original_sha256: string | null): FileReport {
  const { file, capture, comparison, tried } = looked
  return {
    ...{ file, verdict: "nobody", said: "", capture, original_sha256, originals_compared: tried },
    ...{ shown_px: comparison?.shown_px ?? null, likeness: comparison?.likeness ?? null },
    ...{ is_mirrored: comparison?.isMirrored ?? false, is_negative: comparison?.isNegative ?? false },
    ...{ holders: 0, strongest: null, people: [] },
  }
}

function verdictOf({ verdict, capture, people, holders }: FileReport): Verdict {
  return {
    ...{ verdict, capture, holders },
    people: people.map(({ person, permit, by, log10_bound }) => {
      return { person, permit, by, log10_bound: Math.max(-10_000_000, Math.ceil(log10_bound)) }
    }),
  }
}
