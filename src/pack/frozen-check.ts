import { equal, textOf } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { ScopeResult } from "../incident/scope.ts"
import { audiences, brokenSource, textFor, type Statement } from "../incident/statement.ts"
import { withEstimate } from "../incident/with-estimate.ts"
import type { Member } from "./archive.ts"
import { estimateAgain } from "./estimate-check.ts"
import type { Frozen } from "./frozen.ts"
import { sha256Of } from "./manifest.ts"
import type { ProvedEntry, WrongMember } from "./proofs.ts"

const folder = "statement/"

/** The PDF of a statement: the same bytes for the same statement. @param statement_sha256  of the machine file. */
export type Rendering = (statement: Statement, statement_sha256: string) => Promise<Uint8Array>

export interface StatedIn {
  readonly entries: readonly ProvedEntry[]
  readonly result: ScopeResult
  /** Bytes of the plan of a linkage, where the pack has one. */
  readonly plan: Uint8Array | null
  readonly pdf: Rendering | null
}

/** What is wrong with the signed statement of a pack, and in which member; `null` where nothing is. */
export async function frozenProblem(
  stated: readonly Member[],
  { entries, result, plan, pdf }: StatedIn,
): Promise<WrongMember | null> {
  const frozenMember = stated.find(({ name }) => name === `${folder}frozen.json`)
  const frozen = readCanonical<Frozen>(frozenMember)
  if (frozenMember === undefined || frozen === null)
    return { member: `${folder}frozen.json`, why: "it is missing, or not canonical JSON" }
  const { files } = frozen
  for (const { name, bytes } of stated) {
    if (name === frozenMember.name) continue
    if (files[name.slice(folder.length)] !== sha256Of(bytes))
      return { member: name, why: "it is not the one that was signed" }
  }
  if (Object.keys(files).length !== stated.length - 1)
    return { member: frozenMember.name, why: "it names files that are not there" }
  const why = signatureProblem(entries, frozen, sha256Of(frozenMember.bytes))
  if (why !== null) return { member: frozenMember.name, why }
  // Absent in statements of before the estimate.
  const { estimated = null } = frozen as Partial<Frozen>
  const estimate =
    estimated === null ? null : estimateAgain(plan, entries, { ...estimated, scoped: frozen.scoped })
  if (estimate !== null && "why" in estimate) return estimate
  return (
    contentProblem(stated, withEstimate(result, estimate)) ?? (pdf === null ? null : pdfProblem(stated, pdf))
  )
}

/** Made anew from the machine file by the library and fonts that are here. */
async function pdfProblem(stated: readonly Member[], pdf: Rendering): Promise<WrongMember | null> {
  const machine = stated.find(({ name }) => name === `${folder}statement.json`)
  const held = stated.find(({ name }) => name === `${folder}statement.pdf`)
  const member = `${folder}statement.pdf`
  const statement = readCanonical<Statement>(machine)
  if (machine === undefined || held === undefined || statement === null)
    return { member, why: "it is missing" }
  const made = await pdf(statement, sha256Of(machine.bytes))
  return equal(made, held.bytes)
    ? null
    : { member, why: "it is not what statement.json makes with this version of sallyport and its fonts" }
}

/** Two people: the motion's proposer and another who seconded it. */
function signatureProblem(entries: readonly ProvedEntry[], frozen: Frozen, sha256: string): string | null {
  const motion = entries.find(
    ({ entry }) =>
      entry.kind === "motion.proposed" &&
      entry.act === "sign-statement" &&
      (entry.statement as { statement_sha256?: string }).statement_sha256 === sha256 &&
      (entry.statement as { incident?: string }).incident === frozen.incident &&
      (entry.statement as { scoped?: number }).scoped === frozen.scoped,
  )?.entry
  if (motion?.kind !== "motion.proposed") return "no motion sign-statement has its digest"
  const { letters_sha256 } = motion.statement as { letters_sha256?: string | null }
  if ((frozen.letters?.ndjson_sha256 ?? null) !== letters_sha256) return "other letters were signed with it"
  const seconded = entries.find(
    ({ entry }) =>
      entry.kind === "motion.seconded" &&
      entry.motion === motion.motion &&
      entry.statement.decision === "second",
  )?.entry
  if (seconded?.kind !== "motion.seconded") return "no second person signed it"
  return seconded.asked.key === motion.asked.key ? "one key signed twice" : null
}

function contentProblem(stated: readonly Member[], result: ScopeResult): WrongMember | null {
  const machine = stated.find(({ name }) => name === `${folder}statement.json`)
  const statement = readCanonical<Statement>(machine)
  const member = `${folder}statement.json`
  if (statement === null) return { member, why: "it is missing, or not canonical JSON" }
  if (canonical(statement.checkpoint) !== canonical(result.checkpoint))
    return { member, why: "it is of another checkpoint than the scope" }
  const why = brokenSource(statement, result)
  if (why !== null) return { member, why }
  const wrong = audiences.find(audience => {
    const text = stated.find(({ name }) => name === `${folder}${audience}.txt`)
    return text === undefined || textOf(text.bytes) !== textFor(statement, audience)
  })
  return wrong === undefined
    ? null
    : { member: `${folder}${wrong}.txt`, why: "it is not what statement.json says" }
}

function readCanonical<T>(member: Member | undefined): T | null {
  const text = member === undefined ? null : textOf(member.bytes)
  try {
    const value: unknown = JSON.parse(text ?? "")
    return typeof value === "object" && canonical(value) === text ? (value as T) : null
  } catch {
    return null
  }
}
