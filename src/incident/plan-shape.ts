import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import { keyOf } from "./adjudication.ts"

/** The form of a plan; apart from how one is made, which a process does that may open few files. */

const id = Type.String({ minLength: 1, maxLength: 200 })
const count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
const closed = { additionalProperties: false }

/** Controls' truth is known: one person, or two. Nobody who answers can tell them from the others. */
const kind = Type.Union([
  /** One cluster, or two: what the machine says of the pair. */
  Type.Literal("inside"),
  Type.Literal("outside"),
  Type.Literal("duplicate"),
  Type.Literal("foil"),
])

/** Of a control that is also a pair of a sampled face: what the machine says of it. */
const own = Type.Union([Type.Literal("inside"), Type.Literal("outside")])

const planShape = Type.Object(
  {
    v: Type.Literal(1),
    seed: Type.String({ minLength: 8, maxLength: 200 }),
    /** Faces that were clustered, and their clusters. */
    faces: count,
    clusters: count,
    /** In the order drawn: the first n of them are a uniform sample of n. */
    sampled: Type.Array(Type.Object({ face: id, cluster_size: count }, closed), { maxItems: 100_000 }),
    /** In the order shown. */
    pairs: Type.Array(Type.Object({ subject: id, other: id, kind, own: Type.Optional(own) }, closed), {
      maxItems: 2_000_000,
    }),
  },
  closed,
)

export type Plan = Static<typeof planShape>
export type Pair = Plan["pairs"][number]

const isPlan = Compile(planShape)

/** A plan out of JSON, or `null`. Costs its length. */
export function planFrom(value: unknown): Plan | null {
  return isPlan.Check(value) && new Set(value.pairs.map(keyOf)).size === value.pairs.length ? value : null
}
