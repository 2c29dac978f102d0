import { Type, type Static, type TSchema } from "typebox"
import { closed, count, id, label, network, nullable, oneOf } from "./shapes.ts"
import { publicKey, sha256Base64, sha256Hex, time } from "./shapes.ts"

/** What people state of incidents, and what the entries say beside it. Ids alone: no person's name, no plate. */

/** Whoever discovers a breach has his own clocks. */
export const parties = ["subcontractor", "prime", "agency"] as const
export type Party = (typeof parties)[number]

export const incidentLimits = { named: 64, traces: 16, facts: 64, clocks: 128, packs: 32, entries: 1000 }

const named = { minItems: 1, maxItems: incidentLimits.named, uniqueItems: true }

/** By what the incident is known (`Cause` of `incident/scope.ts`). */
const cause = Type.Union([
  closed({ of: Type.Literal("organizations"), organizations: Type.Array(id("org"), named) }),
  closed({ of: Type.Literal("people"), people: Type.Array(id("per"), named) }),
  closed({ of: Type.Literal("devices"), devices: Type.Array(publicKey, named) }),
  closed({ of: Type.Literal("networks"), networks: Type.Array(network, named) }),
  closed({
    of: Type.Literal("files"),
    traces: Type.Array(id("trc"), { ...named, maxItems: incidentLimits.traces }),
  }),
])

const party = oneOf(parties)
const word = Type.String({ pattern: "^[a-z][a-z0-9_]{0,47}$" })
const tri = oneOf(["yes", "no", "unknown"])
const zone = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_+/-]{1,63}$" })

/** By a word of the clocks' language, which is not the log's to close (`incident/clock-words.ts`). */
function byWord<T extends TSchema>(value: T, pattern = "^[a-z][a-z0-9_]{0,47}$") {
  const limits = { additionalProperties: false, maxProperties: incidentLimits.facts }
  return Type.Optional(Type.Record(Type.String({ pattern }), value, limits))
}

const partyFacts = Type.Optional(
  closed({
    /** The whole list; `null` while nobody has said. */
    roles: nullable(Type.Array(word, { maxItems: 32, uniqueItems: true })),
    /** By which its days are counted. */
    zone,
    /** Beside the discovery. */
    moments: byWord(nullable(time)),
  }),
)

/** What clocks are reckoned from beside the scope; what is not stated is unknown. */
const facts = closed({
  elements: byWord(tri),
  findings: byWord(tri),
  encryption: Type.Optional(closed({ encrypted: tri, key_safe: tri })),
  residents: byWord(nullable(closed({ at_least: count, at_most: count })), "^[A-Z]{2}(-[A-Z0-9]{1,3})?$"),
  parties: Type.Optional(closed({ subcontractor: partyFacts, prime: partyFacts, agency: partyFacts })),
})

/** Everything that is believed of an incident. An amendment states the whole anew. */
const believed = {
  title: label,
  cause,
  /** Times of release; `null` where it is not known since when (then from the log's first entry), or it goes on. */
  from: nullable(time),
  until: nullable(time),
  discovered: Type.Array(closed({ party, at: time }), { minItems: 1, maxItems: parties.length }),
  facts,
  note_commitment: nullable(sha256Base64),
}

const version = Type.Integer({ minimum: 1, maximum: 1000 })
const clockId = Type.String({ pattern: "^[a-z][a-z0-9-]{1,47}$" })
const clock = { pack: clockId, rule: clockId, party }
const reference = Type.String({ minLength: 1, maxLength: 80, pattern: "^[A-Za-z0-9][A-Za-z0-9 ._/#:-]*$" })
const opinions = ["confirmed", "doubted", "not_triggered"] as const
/** `settled`: no clock runs any more. `unfounded`: nothing had happened, and no clock should have run. */
const outcomes = ["settled", "unfounded"] as const

export const incidentStatements = {
  incident: closed(believed),
  /** Of the version that it is put in place of. */
  amendment: closed({ version, ...believed }),
  /** Which version is meant, for whatever the vault then reckons. */
  reckoning: closed({ version }),
  /** The receiver of a notice acknowledged it: his reference, and when. */
  meeting: closed({ ...clock, receiver: word, reference, acknowledged_at: time }),
  opinion: closed({ ...clock, opinion: oneOf(opinions), note_commitment: nullable(sha256Base64) }),
  ending: closed({ outcome: oneOf(outcomes), reason_commitment: sha256Base64 }),
}

export type IncidentStatement = Static<typeof incidentStatements.incident>
export type IncidentFacts = IncidentStatement["facts"]

const incident = id("inc")
const person = id("per")

/** What the entries have beside request and statement. */
export const incidentFields = {
  declared: {
    incident,
    person,
    /** A vendor says it of his own organization. */
    reported: Type.Boolean(),
    /** SHA-256 of the request's Idempotency-Key. */
    once: sha256Hex,
  },
  amended: { incident, person },
  scoped: {
    ...{ incident, person },
    checkpoint: closed({
      size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      root: sha256Hex,
    }),
    /** Of query and result in canonical JSON. The result itself is an object of the vault's. */
    query_sha256: sha256Hex,
    result_sha256: sha256Hex,
    /** Distinct images of each set. */
    ...{ left: count, refused: count, takeable: count },
  },
  started: {
    ...{ incident, person },
    packs: Type.Array(closed({ pack: clockId, version, sha256: sha256Hex }), {
      minItems: 1,
      maxItems: incidentLimits.packs,
    }),
    clocks: Type.Array(
      closed({
        ...clock,
        started_at: time,
        /** `null`: without unreasonable delay, and no day is named. */
        due_at: nullable(time),
        /** It ends when each of them has acknowledged. */
        receivers: Type.Array(word, { minItems: 1, maxItems: 8, uniqueItems: true }),
        /** A count's bounds lie on both sides of the rule's threshold: whether it runs is not known. */
        possible: Type.Boolean(),
        /** `false`: a stricter rule of the same duty runs for the party. */
        leads: Type.Boolean(),
      }),
      { maxItems: incidentLimits.clocks },
    ),
  },
  own: { incident, person },
}
