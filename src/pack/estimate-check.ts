import { textOf } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { planFrom, type Plan } from "../incident/plan-shape.ts"
import { saidIn } from "../incident/answers.ts"
import { estimated } from "../incident/estimated.ts"
import type { Estimate } from "../incident/with-estimate.ts"
import type { EntryOf } from "../log/kinds.ts"
import type { Frozen } from "./frozen.ts"
import { sha256Of } from "./manifest.ts"
import { entriesName, type ProvedEntry, type WrongMember } from "./proofs.ts"

/** The plan of the linkage whose estimate is stated: which pairs of faces people looked at. */
export const planName = "people/plan.json"

type Of<K extends "linkage.estimated" | "linkage.planned" | "linkage.answered"> = EntryOf<K> & {
  readonly index: number
}

type Stated = NonNullable<Frozen["estimated"]>

/** The entries that a stated estimate rests on; `null` where one is missing. */
interface Basis {
  readonly stated: Of<"linkage.estimated">
  readonly planned: Of<"linkage.planned">
  /** In the order of the log, as many as it says. */
  readonly answered: readonly Of<"linkage.answered">[]
}

function basisOf(entries: readonly ProvedEntry[], { linkage, entry: index }: Stated): Basis | null {
  const of = <K extends "linkage.estimated" | "linkage.planned" | "linkage.answered">(kind: K) =>
    entries.flatMap(({ index: at, entry }) =>
      entry.kind === kind ? [{ ...(entry as EntryOf<K>), index: at }] : [],
    )
  const stated = of("linkage.estimated").find(each => each.index === index && each.linkage === linkage)
  const isOurs = (each: { readonly linkage: string; readonly index: number }) =>
    each.linkage === linkage && each.index < index
  const planned = of("linkage.planned").find(isOurs)
  const answered = of("linkage.answered").filter(isOurs)
  const isWhole = answered.length === stated?.statement.answered
  return stated === undefined || planned === undefined || !isWhole ? null : { stated, planned, answered }
}

/** The estimate that such an entry states, made again from the plan and every answer; or what is wrong, and in which member. */
export function estimateAgain(
  planBytes: Uint8Array | null,
  entries: readonly ProvedEntry[],
  of: Stated & { readonly scoped: number },
): Estimate | WrongMember {
  const basis = basisOf(entries, of)
  if (basis === null)
    return {
      member: entriesName(0),
      why: `entries that the estimate of entry ${of.entry} rests on are missing`,
    }
  const { stated, planned, answered } = basis
  if (stated.scoped !== of.scoped) return { member: entriesName(0), why: "the estimate is of another scope" }
  const plan = planIn(planBytes, planned.plan_sha256)
  if (plan === null) return { member: planName, why: "it is missing, or not the plan that the log names" }
  const answers = answered.flatMap(({ person, statement }) => saidIn(plan, person, statement.answers))
  const { dependence } = stated.statement
  const { findings, interval } = estimated(plan, answers, { dependence, searched: planned.searched })
  const isSame =
    canonical(interval) === canonical(stated.interval) && findings.sampled.length === stated.sampled
  if (!isSame)
    return { member: planName, why: "plan and answers do not give the interval that the log states" }
  const { faces, unclustered, undetermined } = planned
  return {
    linkage: of.linkage,
    entry: of.entry,
    interval,
    sampled: stated.sampled,
    faces,
    unclustered,
    undetermined,
  }
}

function planIn(bytes: Uint8Array | null, sha256: string): Plan | null {
  if (bytes === null || sha256Of(bytes) !== sha256) return null
  try {
    return planFrom(JSON.parse(textOf(bytes) ?? ""))
  } catch {
    return null
  }
}
