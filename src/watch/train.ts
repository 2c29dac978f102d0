import { Fault } from "../fault.ts"
import { alphabets, contexts, whole, type Alphabet, type ModelFile, type Provenance } from "./model.ts"
import { levelOf, micronatsOf } from "./ratio.ts"
import { ln3_micronats } from "./assess.ts"
import { alphabet, scopeOfSymbol, type Observation } from "./symbols.ts"

/** What one person did, symbol by symbol, in order. */
export interface Course {
  readonly person: string
  readonly organization: string
  readonly seen: readonly { readonly purpose: string; readonly observation: Observation }[]
}

/**
 * Of a grab this much is bet to be of each symbol, after a request within the order and after one beyond it; each adds up to 1. A
 * first image beyond it amid work is what a slip looks like, and is bet on least; a second one is what a grab looks like.
 */
const orderBets = {
  afterWithin: [0.05, 0.08, 0.02, 0.02, 0.08, 0.06, 0.02, 0.04, 0.04, 0.06, 0.2, 0.33],
  afterBeyond: [0.02, 0.05, 0.02, 0.02, 0.08, 0.04, 0.06, 0.02, 0.02, 0.55, 0.06, 0.06],
} as const

/** The bet after a context: the symbol before, plus one. */
function orderBet(context: number): readonly number[] {
  return context > 0 && scopeOfSymbol(context - 1) >= 2 ? orderBets.afterBeyond : orderBets.afterWithin
}

/**
 * An honest request has each symbol at most this often, after any past, whatever a training log says: what a log was poisoned
 * with cannot be learned as usual. With a stake of a half each image outside after another then gives at least
 * ln(½ + ½ · 0.55/0.015) = 2.9 nats amid work, and the eighth in a row is beyond h = 14 under every model that can be trained.
 */
const orderCeiling: readonly number[] = [
  1, 0.02, 1, 0.02, 0.02, 0.02, 0.015, 0.015, 0.015, 0.015, 0.015, 0.015,
]

/** What is chosen, not learned. Figures for each choice: docs/watch.md. */
export const policy = {
  stakes: [0.5, 0.1, 0.02],
  sessionStake: 0.3,
  /** One request gives at most ln 33, and the beginning of a session ln 4: nothing rare is proof by itself. */
  most_micronats: { request: 3_496_507, session: 1_386_294 },
  thresholds: {
    person: { stepUp_micronats: 7_000_000, suspend_micronats: 14_000_000 },
    organization: { stepUp_micronats: 8_000_000, suspend_micronats: 16_000_000 },
  },
  /** Weight of the purpose's own marginal against a context's counts, and of the pool against the purpose's. */
  marginalWeight: 20,
  poolWeight: 50,
  /** One person's requests weigh as so many, however many they are. */
  personWeight: 2_000,
} as const

type Counts = Record<Alphabet, Float64Array>

const emptyCounts = (): Counts => ({
  order: new Float64Array(contexts.order * alphabet.order),
  roam: new Float64Array(contexts.roam * alphabet.roam),
  session: new Float64Array(alphabet.session),
})

type PurposeCounts = Map<string, Counts>

function countsOf(course: Course): PurposeCounts {
  const all: PurposeCounts = new Map()
  for (const { purpose, observation } of course.seen) {
    const counts = all.get(purpose) ?? emptyCounts()
    all.set(purpose, counts)
    const { alphabet: of, symbol, before, session } = observation
    increase(counts[of], before * alphabet[of] + symbol)
    if (session >= 0) increase(counts.session, session)
  }
  return all
}

/** Each request that is evidence has one symbol of `order`. */
function requestsOf({ seen }: Course): number {
  return seen.reduce((sum, { observation }) => sum + (observation.alphabet === "order" ? 1 : 0), 0)
}

function increase(counts: Float64Array, place: number): void {
  counts[place] = (counts[place] ?? 0) + 1
}

/** Adds one course to `all`, with at most the weight of `personWeight` requests. @param sign  −1 takes it out again. */
function addCourse(all: PurposeCounts, course: Course, sign: 1 | -1): void {
  const weight = sign * Math.min(1, policy.personWeight / Math.max(1, requestsOf(course)))
  for (const [purpose, counts] of countsOf(course)) {
    const held = all.get(purpose) ?? emptyCounts()
    all.set(purpose, held)
    for (const each of alphabets)
      for (const [i, count] of counts[each].entries())
        if (count !== 0) held[each][i] = Math.max(0, (held[each][i] ?? 0) + weight * count)
  }
}

/**
 * A model of honest requests. Nobody's requests weigh more than `personWeight` of them, and nobody is in it whom a model made
 * of the other organizations would have suspended: an attack inside the training log is found unless it stays under h, and
 * one that stays under h moves no row by more than its person's weight.
 * @throws Fault WATCH_TRAINING when such people are found and `leaveOut` does not name them, and for fewer than two organizations.
 * Cost: about twice the reading of the log.
 */
export function train(
  courses: readonly Course[],
  of: Pick<Provenance, "trained_at" | "sources">,
  leaveOut: "nobody" | "who would be suspended",
): ModelFile {
  const organizations = new Set(courses.map(course => course.organization))
  if (organizations.size < 2)
    throw new Fault(
      "WATCH_TRAINING",
      "people are held against a model of the other organizations; there is but one",
    )
  const all: PurposeCounts = new Map()
  for (const course of courses) addCourse(all, course, 1)
  const found = suspects(courses, all)
  if (found.length > 0 && leaveOut === "nobody")
    throw new Fault(
      "WATCH_TRAINING",
      `a model of the others would suspend ${found.join(", ")}; no model was made`,
      {
        next: "look into what they did; then --leave-out trains without them",
      },
    )
  const kept = courses.filter(course => !found.includes(course.person))
  for (const course of courses) if (found.includes(course.person)) addCourse(all, course, -1)
  return {
    ...modelOf(all),
    provenance: {
      ...of,
      requests: kept.reduce((sum, course) => sum + requestsOf(course), 0),
      people: kept.length,
      organizations: new Set(kept.map(course => course.organization)).size,
      left_out: found,
    },
  }
}

/** Who would cross h by a model of the other organizations alone: those who do the same together cannot hide each other. */
function suspects(courses: readonly Course[], all: PurposeCounts): string[] {
  const byOrganization = new Map<string, Course[]>()
  for (const course of courses) {
    const held = byOrganization.get(course.organization) ?? []
    byOrganization.set(course.organization, [...held, course])
  }
  return [...byOrganization.values()].flatMap(own => {
    for (const course of own) addCourse(all, course, -1)
    const judge = peakOf(all)
    const crossing = own.filter(course => judge(course) >= policy.thresholds.person.suspend_micronats)
    for (const course of own) addCourse(all, course, 1)
    return crossing.map(course => course.person)
  })
}

/** The most that a course's statistic reaches under a model of these counts. Rows are made when they are first met. */
function peakOf(all: PurposeCounts): (course: Course) => number {
  const levels = policy.stakes.map(stake => micronatsOf(stake, policy.most_micronats.request))
  const smoothed = smoothing(all)
  return course => {
    const sums = policy.stakes.map(() => 0)
    let most = 0
    for (const { purpose, observation } of course.seen) {
      const { alphabet: of, symbol, before } = observation
      if (of === "roam") continue
      const share = smoothed(purpose, of, before)[symbol] ?? 1
      const level = levelOf((orderBet(before)[symbol] ?? 0) / share)
      for (const [bet, table] of levels.entries()) {
        sums[bet] = Math.max(0, (sums[bet] ?? 0) + (table[level] ?? 0))
        most = Math.max(most, sums[bet] ?? 0)
      }
    }
    return most - ln3_micronats
  }
}

type Smoothed = (purpose: string, of: Alphabet, context: number) => readonly number[]

/**
 * Counts with back-off: a context leans on its purpose's marginal with the weight of 20 requests, that on the pool's
 * with 50, and the pool's own on a uniform one with as many as it has symbols; a context of the pool leans on the pool's marginal.
 */
function smoothing(all: PurposeCounts): Smoothed {
  const pooled = emptyCounts()
  for (const counts of all.values())
    for (const each of alphabets)
      for (const [i, count] of counts[each].entries()) pooled[each][i] = (pooled[each][i] ?? 0) + count
  const none = emptyCounts()
  const rows = new Map<string, readonly number[]>()
  const kept = (name: string, make: () => number[]): readonly number[] => {
    const held = rows.get(name) ?? make()
    rows.set(name, held)
    return held
  }
  return (purpose, of, context) => {
    const own = all.get(purpose) ?? none
    const size = alphabet[of]
    const flat = Array.from({ length: size }, () => 1 / size)
    const poolMarginal = kept(`${of} pool`, () => leaning(marginal(pooled[of], size), flat, size / 4))
    const poolRow = kept(`${of} ${context} pool`, () =>
      bounded(of, leaning(rowOf(pooled[of], context, size), poolMarginal, policy.marginalWeight)),
    )
    return kept(`${of} ${context} ${purpose}`, () => {
      const row = rowOf(own[of], context, size)
      if (row.every(count => count === 0)) return [...poolRow]
      const toPool = leaning(marginal(own[of], size), poolMarginal, policy.poolWeight)
      return bounded(of, leaning(row, toPool, policy.marginalWeight))
    })
  }
}

function marginal(counts: Float64Array, size: number): Float64Array {
  const sum = new Float64Array(size)
  for (const [i, count] of counts.entries()) sum[i % size] = (sum[i % size] ?? 0) + count
  return sum
}

/** (count + weight · prior) / (all + weight). */
function leaning(counts: Float64Array, prior: readonly number[], weight: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, weight)
  return prior.map((share, symbol) => ((counts[symbol] ?? 0) + weight * share) / total)
}

/** Probabilities under the ceiling; what is above it goes to what lies within the order. */
function bounded(of: Alphabet, row: readonly number[]): number[] {
  if (of !== "order") return [...row]
  const kept = row.map((share, symbol) => Math.min(share, orderCeiling[symbol] ?? 1))
  kept[0] = (kept[0] ?? 0) + 1 - kept.reduce((sum, share) => sum + share, 0)
  return kept
}

/** Whole parts that add up, each at least 1: rounded down, what is left goes to the largest. */
function partsOf(row: readonly number[]): number[] {
  const parts = row.map(share => Math.max(1, Math.floor(share * whole)))
  const largest = parts.indexOf(Math.max(...parts))
  parts[largest] = (parts[largest] ?? 0) + whole - parts.reduce((sum, part) => sum + part, 0)
  return parts
}

function modelOf(all: PurposeCounts): Omit<ModelFile, "provenance"> {
  const smoothed = smoothing(all)
  const nobody = ""
  const pool = (of: Alphabet) =>
    Array.from({ length: contexts[of] }, (_, context) => partsOf(smoothed(nobody, of, context)))
  const own = (purpose: string, counts: Counts, of: Alphabet) =>
    Object.fromEntries(
      Array.from({ length: contexts[of] }, (_, context) => context)
        .filter(context => rowOf(counts[of], context, alphabet[of]).some(count => count > 0))
        .map(context => [String(context), partsOf(smoothed(purpose, of, context))]),
    )
  const uniform = (of: Alphabet) => [partsOf(Array.from({ length: alphabet[of] }, () => 1 / alphabet[of]))]
  const bet = (of: Alphabet) =>
    of === "order"
      ? Array.from({ length: contexts.order }, (_, context) => partsOf(orderBet(context)))
      : uniform(of)
  const byAlphabet = <T>(make: (of: Alphabet) => T) => ({
    ...{ order: make("order"), roam: make("roam"), session: make("session") },
  })
  const purposes = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    v: 1,
    thresholds: policy.thresholds,
    bets: byAlphabet(bet),
    micronats: {
      stakes: policy.stakes.map(stake => micronatsOf(stake, policy.most_micronats.request)),
      session: micronatsOf(policy.sessionStake, policy.most_micronats.session),
    },
    pool: byAlphabet(pool),
    purposes: Object.fromEntries(
      // Logs without work orders know no purposes either.
      purposes.map(([purpose, counts]) => [
        purpose,
        { ...byAlphabet(of => own(purpose, counts, of)), roam: {} },
      ]),
    ),
    shares: sharesOf(all),
  }
}

const rowOf = (counts: Float64Array, context: number, size: number) =>
  counts.subarray(context * size, (context + 1) * size)

function sharesOf(all: PurposeCounts): number[] {
  const sum = new Float64Array(alphabet.order)
  for (const counts of all.values())
    for (const [symbol, count] of marginal(counts.order, alphabet.order).entries())
      sum[symbol] = (sum[symbol] ?? 0) + count
  const total = sum.reduce((whole, count) => whole + count, 0)
  return partsOf([...sum].map(count => count / Math.max(1, total)))
}
