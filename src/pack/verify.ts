import { fromBase64, fromHex, hex, textOf } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { differs, Recount, type Recounted } from "../incident/recount.ts"
import type { ScopeResult } from "../incident/scope.ts"
import { isAuthentic } from "../log/authentic.ts"
import type { Entry } from "../log/kinds.ts"
import { LogWalk, type LogSource, type ReadHead } from "../log/reading.ts"
import { Replay } from "../log/replay.ts"
import { checkConsistency } from "../tlog/proof.ts"
import { judge, parsePolicy, type Policy } from "../tlog/policy.ts"
import type { Stored } from "./archive.ts"
import { planName } from "./estimate-check.ts"
import { frozenProblem, type Rendering } from "./frozen-check.ts"
import { manifestName, parseManifest, type Manifest } from "./manifest.ts"
import { ProvingTiles } from "./proof-tiles.ts"
import { isEntries, provedEntries, type ProvedEntry } from "./proofs.ts"

export interface PackQuestion {
  /** Of the archive, in order (`unarchived`). */
  readonly members: readonly Stored[]
  /** As the reader pinned it. */
  readonly policy: Policy
  readonly verify: VerifyEd25519
  /** The log from elsewhere, for a pack without it. */
  readonly log: LogSource | null
  /** Makes the statement's PDF anew; without it the PDF is held against its signed digest alone. */
  readonly pdf: Rendering | null
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
  /** The incident's own entries, proved. */
  own?: readonly ProvedEntry[]
  recount?: Recount
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
    member: "entries",
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
    name: "every number of the statement is the scope's, texts and PDF are made of it, and two people signed it",
    member: "statement/frozen.json",
    wrong: statementWrong,
  },
]

/** Verifies a pack with nothing but its members and the policy. */
export async function checkPack(question: PackQuestion): Promise<PackVerdict> {
  const known: Known = { question }
  const checks: { name: string; member: string; why: string | null }[] = []
  for (const { name, member, wrong } of packChecks) {
    const found = await judged({ member, wrong }, known)
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

/** A document of the pack is judged as what it says it is; one of another form fails where it lacks what is asked of it. */
async function judged({ member, wrong }: Omit<Check, "name">, known: Known): Promise<Wrong> {
  try {
    return await wrong(known)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return { member, why: `it is not of the form that a pack has: ${error.message}` }
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
    ...(isStated && question.pdf === null ? ["that the PDF says what statement.json says"] : []),
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

/** The text of a member; empty where it is not there, or is none. */
async function textIn({ question }: Known, name: string): Promise<string> {
  const member = question.members.find(each => each.name === name)
  return member === undefined ? "" : (textOf(await member.read()) ?? "")
}

async function manifestWrong(known: Known): Promise<Wrong> {
  const last = known.question.members.at(-1)
  const manifest = last?.name === manifestName ? parseManifest(await last.read()) : null
  if (manifest === null)
    return { member: manifestName, why: "it is not the last member, or no manifest in canonical JSON" }
  known.manifest = manifest
  return null
}

function filesWrong(known: Known): Wrong {
  const { files } = must(known.manifest)
  const members = known.question.members.slice(0, -1)
  for (const [i, { name, size_bytes, sha256 }] of members.entries()) {
    const said = files[i]
    if (said?.name !== name) return { member: name, why: `${manifestName} does not name it in this place` }
    if (canonical(said) !== canonical({ name, size_bytes, sha256 }))
      return { member: name, why: `its size or SHA-256 is not what ${manifestName} says` }
  }
  const missing = files[members.length]
  return missing === undefined
    ? null
    : { member: missing.name, why: `${manifestName} names it, and it is not there` }
}

async function policyWrong(known: Known): Promise<Wrong> {
  const parsed = parsePolicy(await textIn(known, "policy"))
  if (parsed.kind === "refuse") return { member: "policy", why: parsed.why }
  const pinned = known.question.policy.logs.map(({ vkey }) => vkey)
  return parsed.policy.logs.some(({ vkey }) => pinned.includes(vkey))
    ? null
    : { member: "policy", why: "it names another log than the policy that you pinned" }
}

async function headWrong(known: Known): Promise<Wrong> {
  const member = "log/checkpoint"
  const note = await textIn(known, member)
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
async function resultOf(known: Known): Promise<ScopeResult | null> {
  const text = await textIn(known, "scope/result.json")
  const value = objectOf(text)
  return value !== null && canonical(value) === text ? (value as unknown as ScopeResult) : null
}

async function consistencyWrong(known: Known): Promise<Wrong> {
  const member = "scope/consistency.json"
  const result = await resultOf(known)
  if (result === null) return { member: "scope/result.json", why: "it is not canonical JSON" }
  const value = objectOf(await textIn(known, member))
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

async function scopeWrong(known: Known): Promise<Wrong> {
  const { query, incident, checkpoint } = must(known.result)
  const manifest = must(known.manifest)
  if ((await textIn(known, "scope/query.json")) !== canonical(query))
    return { member: "scope/query.json", why: "the result answers another query" }
  if (incident !== manifest.incident)
    return { member: manifestName, why: "the result is of another incident" }
  return checkpoint.origin === manifest.checkpoint.origin
    ? null
    : { member: "scope/result.json", why: "it is of another log" }
}

async function entriesWrong(known: Known): Promise<Wrong> {
  const { members, verify } = known.question
  const head = must(known.head)
  const held = new Map(members.map(each => [each.name, each]))
  const read = (path: string) => held.get(`log/${path}`)?.read() ?? Promise.resolve(null)
  const tiles = await ProvingTiles.of(read, head)
  if ("path" in tiles) return { member: `log/${tiles.path}`, why: tiles.why }
  const own: ProvedEntry[] = []
  const recount = recountOf(known)
  for await (const one of provedEntries(
    members.filter(({ name }) => isEntries(name)),
    tiles,
  )) {
    if ("member" in one) return one
    const { index, entry } = one
    if (!isAuthentic(entry, { origin: head.origin, verify, at_ms: Date.parse(entry.at) }))
      return { member: "entries", why: `the author of entry ${index} did not sign it` }
    if ("incident" in entry || entry.kind.startsWith("motion.")) own.push(one)
    recount(index, entry)
  }
  known.own = own
  return strayTile(known, tiles)
}

/** Without the log, no tile but those that prove an entry. */
function strayTile({ question, manifest }: Known, tiles: ProvingTiles): Wrong {
  if (manifest?.log === "whole") return null
  const used = new Set(tiles.used().map(path => `log/${path}`))
  const stray = question.members.find(({ name }) => name.startsWith("log/tile/") && !used.has(name))
  return stray === undefined ? null : { member: stray.name, why: "no entry of the pack needs it" }
}

/** Counts entries up to the scope's tree. */
function recountOf(known: Known): (index: number, entry: Entry) => void {
  const { query, canaries_left, checkpoint } = must(known.result)
  const recount = new Recount(query, canaries_left)
  known.recount = recount
  return (index, entry) => {
    if (index < checkpoint.size) recount.take(index, entry)
  }
}

function scopedWrong(known: Known): Wrong {
  const result = must(known.result)
  const digest = (name: string) => must(known.manifest).files.find(file => file.name === name)?.sha256
  const { size, root } = result.checkpoint
  const isSaid = must(known.own).some(
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

async function statementWrong(known: Known): Promise<Wrong> {
  const { members, pdf } = known.question
  const stated = members.filter(({ name }) => name.startsWith("statement/"))
  if (stated.length === 0) return "absent"
  const files = await Promise.all(stated.map(async each => ({ name: each.name, bytes: await each.read() })))
  const plan = (await members.find(({ name }) => name === planName)?.read()) ?? null
  return frozenProblem(files, { entries: must(known.own), result: must(known.result), plan, pdf })
}

/** The pack's own copy of the log, or the one that was brought; `null` without. */
function sourceOf({ question, manifest }: Known): LogSource | null {
  if (manifest?.log !== "whole") return question.log
  const held = new Map(question.members.map(each => [each.name, each]))
  return { name: "the pack", read: path => held.get(`log/${path}`)?.read() ?? Promise.resolve(null) }
}

async function logWrong(known: Known): Promise<Wrong> {
  const source = sourceOf(known)
  if (source === null) return "absent"
  const head = must(known.head)
  const recount = recountOf(known)
  let index = 0
  // Each entry passes here once, in order and parsed: so it is not read a second time to count it.
  const folds = (entry: Entry): true => {
    recount(index++, entry)
    return true
  }
  const replay = new Replay({ origin: head.origin, verify: known.question.verify, folds })
  try {
    const [problem] = await new LogWalk(source, replay).to(head)
    return problem === undefined ? null : { member: "log/tile", why: `${problem.at} ${problem.why}` }
  } catch (error) {
    if (error instanceof Fault && error.code === "LOG_INVALID")
      return { member: "log/tile", why: error.message }
    throw error
  }
}

function recountWrong(known: Known): Wrong {
  known.recounted = must(known.recount).figures()
  const why = differs(known.recounted, must(known.result))
  return why === null ? null : { member: "scope/result.json", why }
}

function objectOf(text: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "")
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
