import { Type, type Static } from "typebox"
import { isZone } from "./calendar.ts"
import { elements, findings, keysOf, moments, parties, places, roles } from "./clock-words.ts"
import type { Element, Finding, Moment, Party, Place, Role } from "./clock-words.ts"
import type { Misfit, Problem } from "./json-lines.ts"
import { units, type Unit } from "./scope.ts"
import { closed, fitter, id, isTime, line, nullable, oneOf, refuseProblems, some, time } from "./shape.ts"
import { word, zone } from "./shape.ts"
import type { Bounds } from "./thresholds.ts"

/** What is not stated is unknown; a clock that hangs on it waits for it. */
export type Tri = "yes" | "no" | "unknown"

/** What clocks are reckoned from (docs/formats/clock-pack.md, "Facts"). Times are RFC 3339 with an offset. */
export interface ClockFacts {
  /** Those who are in the chain; a party that is missing is not in it. */
  readonly parties: { readonly [P in Party]?: PartyFacts | undefined }
  /** As of a scope's `left`; `null` or missing: not counted. */
  readonly counts: { readonly [U in Unit]?: Bounds | null | undefined }
  readonly residents: { readonly [P in Place]?: Bounds | null | undefined }
  readonly elements: { readonly [E in Element]?: Tri | undefined }
  readonly findings: { readonly [F in Finding]?: Tri | undefined }
  readonly encryption: { readonly encrypted: Tri; readonly key_safe: Tri }
  readonly acknowledgements: readonly Acknowledgement[]
}

export interface PartyFacts {
  /** The whole list, or `null` while nobody has said. */
  readonly roles: readonly Role[] | null
  /** IANA time zone, by which its days and business days are counted. */
  readonly zone: string
  readonly moments: { readonly [M in Moment]?: string | null | undefined }
}

/** A receiver confirms that he was told. */
export interface Acknowledgement {
  readonly rule: string
  /** Of one pack alone; `null`: of every pack with such a rule. */
  readonly pack: string | null
  /** Whose clock it ends. */
  readonly party: Party
  /** One of the rule's recipients. */
  readonly receiver: string
  readonly at: string
  readonly reference: string | null
}

const tri = oneOf(["yes", "no", "unknown"])
const number = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const likely = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const bounds = closed({
  at_least: number,
  at_most: number,
  estimate: Type.Optional(
    closed({
      low: likely,
      high: likely,
      point: Type.Optional(likely),
      method: Type.Optional(Type.String({ maxLength: 1000 })),
    }),
  ),
  how: Type.Optional(Type.String({ maxLength: 1000 })),
})
const party = closed({
  roles: nullable(Type.Array(oneOf(keysOf(roles)), { maxItems: 32, uniqueItems: true })),
  zone,
  moments: some(keysOf(moments), nullable(time)),
})

const schema = closed({
  v: Type.Literal(1),
  parties: some(parties, party),
  counts: Type.Optional(some(units, nullable(bounds))),
  residents: Type.Optional(some(keysOf(places), nullable(bounds))),
  elements: Type.Optional(some(keysOf(elements), tri)),
  findings: Type.Optional(some(keysOf(findings), tri)),
  encryption: Type.Optional(closed({ encrypted: tri, key_safe: tri })),
  acknowledgements: Type.Optional(
    Type.Array(
      closed({
        rule: id,
        pack: Type.Optional(nullable(id)),
        party: oneOf(parties),
        receiver: word,
        at: time,
        reference: Type.Optional(nullable(line)),
      }),
      { maxItems: 1000 },
    ),
  ),
})
type Written = Static<typeof schema>

const fit = fitter<Written>({ schema, rules: misfits })

/** @throws Fault CLOCK_FACTS with line and path. */
export function parseFacts(text: string, name = "facts"): ClockFacts {
  const fitted = fit(text)
  if ("problems" in fitted) refuseProblems("CLOCK_FACTS", name, fitted.problems)
  return wholeOf(fitted.value)
}

/** Everything that is wrong with a text of facts. */
export function factProblems(text: string): readonly Problem[] {
  const fitted = fit(text)
  return "problems" in fitted ? fitted.problems : []
}

function wholeOf({ parties, counts, residents, elements, findings, ...facts }: Written): ClockFacts {
  return {
    parties,
    counts: counts ?? {},
    residents: residents ?? {},
    elements: elements ?? {},
    findings: findings ?? {},
    encryption: facts.encryption ?? { encrypted: "unknown", key_safe: "unknown" },
    acknowledgements: (facts.acknowledgements ?? []).map(each => ({
      ...each,
      pack: each.pack ?? null,
      reference: each.reference ?? null,
    })),
  }
}

function misfits({ parties: given, counts = {}, residents = {}, acknowledgements = [] }: Written): Misfit[] {
  return [
    ...parties.flatMap(name => {
      const facts = given[name]
      return facts === undefined ? [] : partyMisfits(facts, `/parties/${name}`)
    }),
    ...Object.entries(counts).flatMap(([unit, each]) => boundMisfits(each, `/counts/${unit}`)),
    ...Object.entries(residents).flatMap(([place, each]) => boundMisfits(each, `/residents/${place}`)),
    ...acknowledgements.flatMap(({ at }, i) => timeMisfits(at, `/acknowledgements/${i}/at`)),
  ]
}

function partyMisfits({ zone, moments: given }: Static<typeof party>, path: string): Misfit[] {
  const unknownZone = isZone(zone) ? [] : [{ path: `${path}/zone`, problem: "no such time zone is known" }]
  const times = keysOf(moments).flatMap(moment => timeMisfits(given[moment], `${path}/moments/${moment}`))
  if (unknownZone.length > 0 || times.length > 0) return [...unknownZone, ...times]
  const { discovered } = given
  return (["determined", "major_concluded"] as const).flatMap(moment => {
    const at = given[moment]
    if (at == null || discovered == null || Date.parse(at) >= Date.parse(discovered)) return []
    return [{ path: `${path}/moments/${moment}`, problem: "before it was discovered" }]
  })
}

function timeMisfits(at: string | null | undefined, path: string): Misfit[] {
  return at == null || isTime(at)
    ? []
    : [{ path, problem: "no such time: not of the calendar, not of the day, or not of 1970 to 2199" }]
}

function boundMisfits(each: Static<typeof bounds> | null | undefined, path: string): Misfit[] {
  if (each == null) return []
  const { at_least, at_most, estimate } = each
  if (at_least > at_most) return [{ path: `${path}/at_least`, problem: "more than at_most" }]
  if (estimate !== undefined && estimate.low > estimate.high)
    return [{ path: `${path}/estimate/low`, problem: "more than high" }]
  return []
}
