import type { FaultCode } from "../fault.ts"
import type { Draft } from "./kinds.ts"
import { linkedRule } from "./linkages.ts"
import type { State } from "./state.ts"
import { originalRule } from "./traces.ts"

type Permit = Extract<Draft, { kind: "permit" }>

/** What the system opens for itself: no copy of it leaves. */
export function systemRule(draft: Permit, state: State): FaultCode | null {
  if (draft.for === "trace") return originalRule(draft, state)
  return draft.for === "link" ? linkedRule(draft, state) : examinationRule(draft)
}

/** Whether a permit has what only the system's have. */
export function isOfSystem({ trace, linkage }: Permit): boolean {
  return trace !== undefined || linkage !== undefined
}

function examinationRule(draft: Permit): FaultCode | null {
  const { for: purpose, asked, examiner, trace, linkage, mark_sha256, region } = draft
  const isExamination = purpose === "examine" && asked === null && examiner !== null
  const isBare = [trace, linkage, mark_sha256, region].every(each => each === undefined)
  return isExamination && isBare ? null : "INVALID"
}
