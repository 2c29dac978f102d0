import type { ClockFacts, Tri } from "./clock-facts.ts"
import { elements, findings, places, roles, type Element, type Finding, type Party } from "./clock-words.ts"
import type { Place, Role } from "./clock-words.ts"
import type { Unit } from "./scope.ts"
import { thresholdState, type ThresholdState } from "./thresholds.ts"

/** The closed language of triggers. `at_least` is ≥, `over` is >. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  /** Holds whenever the party's start is known: what triggers the clock is that alone. */
  | { readonly always: true }
  | { readonly element: Element }
  | { readonly finding: Finding }
  | { readonly role: Role }
  /** The data were encrypted, and the key is safe. */
  | { readonly encryption: "holds" }
  | ({ readonly count: Unit } & Limit)
  | ({ readonly residents: Place } & Limit)

export type Limit = { readonly at_least: number } | { readonly over: number }

/** The least whole number that crosses a limit. */
export function thresholdOf(limit: Limit): number {
  return "at_least" in limit ? limit.at_least : limit.over + 1
}

/** A count whose bounds lie on both sides of a limit. */
export interface Straddle {
  /** Of whom or what: `people`, or `residents of Texas`. */
  readonly of: string
  readonly threshold: number
  readonly state: ThresholdState
  readonly sentence: string
}

/** What a condition comes to. `because` states facts, whichever way they speak; what is open names what is missing. */
export interface Judged {
  readonly is: "yes" | "no" | "open"
  readonly because: readonly string[]
  /** Facts that nobody has stated. */
  readonly missing: readonly string[]
  readonly straddles: readonly Straddle[]
}

export interface Asked {
  readonly facts: ClockFacts
  readonly party: Party
}

/** Kleene's logic of three values: what is unknown stays open unless the rest decides. */
export function judge(condition: Condition, asked: Asked): Judged {
  if ("all" in condition) return together(condition.all, asked, { decides: "no", else: "yes" })
  if ("any" in condition) return together(condition.any, asked, { decides: "yes", else: "no" })
  if ("not" in condition) {
    const judged = judge(condition.not, asked)
    const is = { yes: "no", no: "yes", open: "open" } as const
    return { ...judged, is: is[judged.is] }
  }
  if ("always" in condition) return settled("yes", "it is triggered by its start alone")
  if ("element" in condition) {
    const noun = elements[condition.element]
    return ofTri(asked.facts.elements[condition.element], "involved", noun)
  }
  if ("finding" in condition) {
    const noun = findings[condition.finding]
    return ofTri(asked.facts.findings[condition.finding], "found", noun)
  }
  if ("role" in condition) return judgeRole(condition.role, asked)
  if ("encryption" in condition) return judgeEncryption(asked.facts)
  if ("count" in condition) return judgeCount(asked.facts.counts[condition.count], condition, condition.count)
  const residents = asked.facts.residents[condition.residents]
  return judgeCount(residents, condition, `residents of ${places[condition.residents]}`)
}

function together(
  conditions: readonly Condition[],
  asked: Asked,
  rule: { readonly decides: "yes" | "no"; readonly else: "yes" | "no" },
): Judged {
  const all = conditions.map(each => judge(each, asked))
  const deciding = all.filter(({ is }) => is === rule.decides)
  const open = all.filter(({ is }) => is === "open")
  const [is, from] =
    deciding.length > 0
      ? ([rule.decides, deciding] as const)
      : open.length > 0
        ? (["open", open] as const)
        : ([rule.else, all] as const)
  return {
    is,
    because: from.flatMap(each => each.because),
    missing: from.flatMap(each => each.missing),
    straddles: from.flatMap(each => each.straddles),
  }
}

function settled(is: "yes" | "no", sentence: string): Judged {
  return { is, because: [sentence], missing: [], straddles: [] }
}

function missing(what: string): Judged {
  return { is: "open", because: [], missing: [what], straddles: [] }
}

function ofTri(value: Tri | undefined, is: "involved" | "found", noun: string): Judged {
  if (value === "yes") return settled("yes", `${is}: ${noun}`)
  if (value === "no") return settled("no", `not ${is}: ${noun}`)
  return missing(`${is} or not: ${noun}`)
}

/** @returns what a party's roles say of one: a list of roles is whole, and one that is not given is open. */
function judgeRole(role: Role, { facts, party }: Asked): Judged {
  const given = facts.parties[party]?.roles ?? null
  if (given === null) return missing(`what the ${party} is before the law`)
  return given.includes(role)
    ? settled("yes", `the ${party} is ${roles[role]}`)
    : settled("no", `the ${party} is not ${roles[role]}`)
}

function judgeEncryption({ encryption: { encrypted, key_safe } }: ClockFacts): Judged {
  if (encrypted === "no") return settled("no", "the data were not encrypted")
  if (key_safe === "no") return settled("no", "the key was taken, or may have been")
  if (encrypted === "yes" && key_safe === "yes")
    return settled("yes", "the data were encrypted and the key is safe")
  return missing(encrypted === "yes" ? "whether the key is safe" : "whether the data were encrypted")
}

function judgeCount(bounds: ClockFacts["counts"][Unit], limit: Limit, of: string): Judged {
  if (bounds === undefined || bounds === null) return missing(`the number of ${of}`)
  const threshold = thresholdOf(limit)
  const state = thresholdState(bounds, threshold)
  const n = (value: number) => value.toLocaleString("en-US")
  const range =
    bounds.at_least === bounds.at_most
      ? n(bounds.at_least)
      : `at least ${n(bounds.at_least)} and at most ${n(bounds.at_most)}`
  const { estimate } = bounds
  const guess = estimate === undefined ? "" : ` (estimated ${n(estimate.low)} to ${n(estimate.high)}, 95 %)`
  const sentence = `${of}: ${range}${guess}, against a threshold of ${n(threshold)}`
  if (state === "crossed") return settled("yes", sentence)
  if (state === "not") return settled("no", sentence)
  return { is: "open", because: [], missing: [], straddles: [{ of, threshold, state, sentence }] }
}
