import { fromBase64, fromHex, hex, textOf } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { differs, Recount, type Recounted } from "../incident/recount.ts"
import type { ScopeResult } from "../incident/scope.ts"
import { isAuthentic } from "../log/authentic.ts"
import { parseEntry } from "../log/kinds.ts"
import { LogWalk, provedBundles, type LogSource, type ReadHead } from "../log/reading.ts"
import { Replay } from "../log/replay.ts"
import { checkConsistency } from "../tlog/proof.ts"
import { judge, parsePolicy, type Policy } from "../tlog/policy.ts"
import type { Member } from "./archive.ts"
import { frozenProblem } from "./frozen-check.ts"
import { fileOf, manifestName, parseManifest, type Manifest } from "./manifest.ts"
import { provedEntries, type ProvedEntry } from "./proofs.ts"

export interface PackQuestion {
  /** Of the archive, in order (`unarchived`). */
  readonly members: readonly Member[]
  /** As the reader pinned it. */
  readonly policy: Policy
  readonly verify: VerifyEd25519
  /** The log from elsewhere, for a pack without it. */
  readonly log: LogSource | null
}

export interface PackVerdict {
  /** What was checked, in order, up to the first that failed, which says of which member. */
  readonly checks: readonly { readonly name: string; readonly member: string; readonly why: string | null }[]
  readonly holds: boolean
  readonly notChecked: readonly string[]
  readonly manifest: Manifest | null
  readonly recounted: Recounted | null
}

/** What is known so far. */
interface Known {
  readonly question: PackQuestion
  manifest?: Manifest
  head?: ReadHead
  result?: ScopeResult
  entries?: readonly ProvedEntry[]
  recounted?: Recounted
}

/** A member and what is wrong with it; `null`: nothing; `absent`: what it takes is not there, and nothing is said of it. */
type Wrong = { readonly member: string; readonly why: string } | null | "absent"
interface Check {
  readonly name: string
  readonly member: string
  readonly wrong: (known: Known) => Wrong | Promise<Wrong>
}

/** In the order judged. */
export const packChecks: readonly Check[] = [
  { name: "the manifest is one", member: manifestName, wrong: manifestWrong },
  {
    name: "every file is the one that the manifest names, and no other is there",
    member: manifestName,
    wrong: filesWrong,
  },
  { name: "the pack's policy names the log that you pinned", member: "policy", wrong: policyWrong },
  {
    name: "the checkpoint is signed by the log's key and cosigned as your policy asks",
    member: "log/checkpoint",
    wrong: headWrong,
  },
  {
    name: "the scope's tree is the beginning of the signed one",
    member: "scope/consistency.json",
    wrong: consistencyWrong,
  },
  { name: "query and result belong together", member: "scope/result.json", wrong: scopeWrong },
  {
    name: "the entries are in the signed tree, and their authors signed them",
    member: "entries.ndjson",
    wrong: entriesWrong,
  },
  { name: "the log says that this was asked and answered", member: "scope/result.json", wrong: scopedWrong },
  {
    name: "every entry is in the log, its author signed it, and its verdict is the one that the log leads to",
    member: "log/tile",
    wrong: logWrong,
  },
  {
    name: "counted again from the entries, what left is the same: images, files, by level, holder, lane and day",
    member: "scope/result.json",
    wrong: recountWrong,
  },
  {
    name: "every number of the statement is the scope's, and two people signed it",
    member: "statement/frozen.json",
    wrong: statementWrong,
  },
]

/** Verifies a pack with nothing but its members and the policy. */
export async function checkPack(question: PackQuestion): Promise<PackVerdict> {
  const known: Known = { question }
  const checks: { name: string; member: string; why: string | null }[] = []
  for (const { name, member, wrong } of packChecks) {
    const found = await wrong(known)
    if (found === "absent") continue
    checks.push({ name, member: found?.member ?? member, why: found?.why ?? null })
    if (found !== null) break
  }
  return {
    checks,
    holds: checks.at(-1)?.why === null,
    notChecked: notChecked(known),
    manifest: known.manifest ?? null,
    recounted: known.recounted ?? null,
  }
}

function notChecked({ question, manifest, result }: Known): readonly string[] {
  const hasLog = question.log !== null || manifest?.log === "whole"
  const canaries = result?.canaries_left.length ?? 0
  const isStated = question.members.some(({ name }) => name === "statement/frozen.json")
  return [
    ...(hasLog
      ? []
      : [
          "whether a permit was left out: that takes the whole log (--from, or a pack with the log)",
          "whether each decision is the one that the log leads to",
        ]),
    ...(isStated ? [] : ["a statement: the pack has none that two people signed"]),
    ...(canaries === 0
      ? []
      : [`that ${canaries} of the captures that left are canaries: the vault says so, which has their key`]),
    "crossings, plates, vehicles and people: their bounds rest on what the vault keeps beside the log",
    "what the result lists as unknown",
  ]
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("assertion: checks come in order")
  return value
}

function memberOf({ question }: Known, name: string): Uint8Array | null {
  return question.members.find(each => each.name === name)?.bytes ?? null
}

function manifestWrong(known: Known): Wrong {
  const last = known.question.members.at(-1)
  const manifest = last?.name === manifestName ? parseManifest(last.bytes) : null
  if (manifest === null)
    return { member: manifestName, why: "it is not the last member, or no manifest in canonical JSON" }
  known.manifest = manifest
  return null
}

function filesWrong(known: Known): Wrong {
  const { files } = must(known.manifest)
  const members = known.question.members.slice(0, -1)
  for (const [i, member] of members.entries()) {
    const said = files[i]
    if (said?.name !== member.name)
      return { member: member.name, why: `${manifestName} does not name it in this place` }
    if (canonical(said) !== canonical(fileOf(member)))
      return { member: member.name, why: `its size or SHA-256 is not what ${manifestName} says` }
  }
  const missing = files[members.length]
  return missing === undefined
    ? null
    : { member: missing.name, why: `${manifestName} names it, and it is not there` }
}

function policyWrong(known: Known): Wrong {
  const text = textOf(memberOf(known, "policy") ?? new Uint8Array())
  const parsed = parsePolicy(text ?? "")
  if (parsed.kind === "refuse") return { member: "policy", why: parsed.why }
  const pinned = known.question.policy.logs.map(({ vkey }) => vkey)
  return parsed.policy.logs.some(({ vkey }) => pinned.includes(vkey))
    ? null
    : { member: "policy", why: "it names another log than the policy that you pinned" }
}

function headWrong(known: Known): Wrong {
  const member = "log/checkpoint"
  const note = textOf(memberOf(known, member) ?? new Uint8Array()) ?? ""
  const judged = judge(known.question.policy, note, known.question.verify)
  if (judged.kind === "refuse") return { member, why: `refused: ${judged.reason}` }
  const { origin, size, root } = judged.checkpoint
  const said = must(known.manifest).checkpoint
  if (canonical(said) !== canonical({ origin, size, root: hex(root) }))
    return { member: manifestName, why: "it names another checkpoint than log/checkpoint" }
  known.head = { ...judged.checkpoint, note, witnesses: judged.witnesses }
  return null
}

/** The result as it stands; it is canonical, so equal digests are equal results. */
function resultOf(known: Known): ScopeResult | null {
  const text = textOf(memberOf(known, "scope/result.json") ?? new Uint8Array())
  const value = objectOf(text)
  return value !== null && canonical(value) === text ? (value as unknown as ScopeResult) : null
}

function consistencyWrong(known: Known): Wrong {
  const member = "scope/consistency.json"
  const result = resultOf(known)
  if (result === null) return { member: "scope/result.json", why: "it is not canonical JSON" }
  const value = objectOf(textOf(memberOf(known, member) ?? new Uint8Array()))
  const { size, root } = result.checkpoint
  const list = Array.isArray(value?.proof) ? (value.proof as unknown[]) : null
  const proof = list?.map(each => (typeof each === "string" ? fromBase64(each) : null))
  const oldRoot = fromHex(root)
  if (value?.size !== size || value.root !== root || oldRoot === null || !proof?.every(each => each !== null))
    return { member, why: "it is not about the tree of the scope" }
  const head = must(known.head)
  const claim = {
    oldSize: size,
    newSize: head.size,
    oldRoot,
    newRoot: head.root,
    proof: proof as Uint8Array[],
  }
  if (!checkConsistency(claim))
    return { member, why: "it does not show that the signed tree extends the scope's" }
  known.result = result
  return null
}

function scopeWrong(known: Known): Wrong {
  const { query, incident, checkpoint } = must(known.result)
  const manifest = must(known.manifest)
  if (textOf(memberOf(known, "scope/query.json") ?? new Uint8Array()) !== canonical(query))
    return { member: "scope/query.json", why: "the result answers another query" }
  if (incident !== manifest.incident)
    return { member: manifestName, why: "the result is of another incident" }
  return checkpoint.origin === manifest.checkpoint.origin
    ? null
    : { member: "scope/result.json", why: "it is of another log" }
}

function entriesWrong(known: Known): Wrong {
  const member = "entries.ndjson"
  const head = must(known.head)
  const proved = provedEntries(memberOf(known, member) ?? new Uint8Array([0]), head)
  if (typeof proved === "string") return { member, why: proved }
  const context = { origin: head.origin, verify: known.question.verify }
  const forged = proved.find(({ entry }) => !isAuthentic(entry, { ...context, at_ms: Date.parse(entry.at) }))
  if (forged !== undefined) return { member, why: `the author of entry ${forged.index} did not sign it` }
  known.entries = proved
  return null
}

function scopedWrong(known: Known): Wrong {
  const result = must(known.result)
  const digest = (name: string) => must(known.manifest).files.find(file => file.name === name)?.sha256
  const { size, root } = result.checkpoint
  const isSaid = must(known.entries).some(
    ({ entry }) =>
      entry.kind === "incident.scoped" &&
      entry.incident === result.incident &&
      entry.query_sha256 === digest("scope/query.json") &&
      entry.result_sha256 === digest("scope/result.json") &&
      entry.checkpoint.size === size &&
      entry.checkpoint.root === root,
  )
  return isSaid ? null : { member: "scope/result.json", why: "no entry incident.scoped has its digest" }
}

function statementWrong(known: Known): Wrong {
  const { members } = known.question
  if (!members.some(({ name }) => name.startsWith("statement/"))) return "absent"
  return frozenProblem(members, must(known.entries), must(known.result))
}

/** The pack's own copy of the log, or the one that was brought; `null` without. */
function sourceOf({ question, manifest }: Known): LogSource | null {
  if (manifest?.log !== "whole") return question.log
  const held = new Map(question.members.map(({ name, bytes }) => [name, bytes]))
  return { name: "the pack", read: path => Promise.resolve(held.get(`log/${path}`) ?? null) }
}

async function logWrong(known: Known): Promise<Wrong> {
  const source = sourceOf(known)
  if (source === null) return "absent"
  const head = must(known.head)
  const replay = new Replay({ origin: head.origin, verify: known.question.verify, folds: () => true })
  try {
    const [problem] = await new LogWalk(source, replay).to(head)
    return problem === undefined ? null : { member: "log/tile", why: `${problem.at} ${problem.why}` }
  } catch (error) {
    if (error instanceof Fault && error.code === "LOG_INVALID")
      return { member: "log/tile", why: error.message }
    throw error
  }
}

async function recountWrong(known: Known): Promise<Wrong> {
  const result = must(known.result)
  const recount = new Recount(result.query, result.canaries_left)
  for await (const { index, entry } of entriesBefore(known, result.checkpoint.size))
    recount.take(index, entry)
  known.recounted = recount.figures()
  const why = differs(known.recounted, result)
  return why === null ? null : { member: "scope/result.json", why }
}

/** Of the log where there is one, else those of the pack; up to the scope's tree. */
async function* entriesBefore(known: Known, size: number): AsyncGenerator<ProvedEntry> {
  const source = sourceOf(known)
  if (source === null) {
    yield* must(known.entries).filter(({ index }) => index < size)
    return
  }
  for await (const rows of provedBundles(source, must(known.head)))
    for (const { index, bytes } of rows) {
      const entry = index < size ? parseEntry(bytes) : null
      if (entry !== null) yield { index, entry }
    }
}

function objectOf(text: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "")
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
