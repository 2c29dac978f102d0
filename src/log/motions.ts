import { sha256 } from "@noble/hashes/sha2.js"
import { hex, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { GrantState } from "../grant/decide.ts"
import type { Office } from "../grant/office.ts"
import { reviewDueAt } from "../grant/glass.ts"
import { termsDigest, type Terms } from "../grant/terms.ts"
import { carriedDestination } from "./destinations.ts"
import { signedStatement } from "./incidents.ts"
import type { EntryOf } from "./kinds.ts"
import { mustHold, personsKey, record, signerOfRequest } from "./standing.ts"
import { liftedBy } from "./watching.ts"
import { adopted } from "./watch-rules.ts"
import { lookName, names, type Effects, type MotionState, type Records, type State } from "./state.ts"

/** What motions do: the one form of what takes two people and is not a grant. */

type Part = Partial<Effects>

export function enrolled(
  person: string,
  { organization, office, key }: EntryOf<"person.enrolled">["statement"],
  state: State,
): Part {
  const name = names.enrolled(office)
  return {
    records: [
      record("person", person, { person, organization, office, key, suspended: false }),
      record("key", key, personsKey(person)),
    ],
    counters: [{ name, value: state.counter(name) + 1 }],
  }
}

/** The person's id and keys stay; his office changes, and with it how many each office has. */
function movedPerson(
  { person, office }: { readonly person: string; readonly office: Office },
  index: number,
  state: State,
): Part {
  const held = mustHold(state.record("person", person))
  const others = (state.record("moves", "moves")?.people ?? []).filter(each => each.person !== person)
  const people = [...others, { person, at: index }]
  const [from, to] = [names.enrolled(held.office), names.enrolled(office)]
  return {
    records: [record("person", person, { ...held, office }), record("moves", "moves", { people })],
    counters: [
      { name: from, value: state.counter(from) - 1 },
      { name: to, value: state.counter(to) + 1 },
    ],
  }
}

export function proposedMotion(entry: EntryOf<"motion.proposed">, state: State): MotionState {
  const { motion, act, subject, statement, asked, at } = entry
  const { person, office } = mustHold(signerOfRequest(asked.key, state))
  const motion_sha256 = motionDigest(entry)
  return {
    ...{ motion, act, subject, statement, motion_sha256 },
    ...{ proposer: person, office, proposed_at: at, status: "open" },
  }
}

/** The digest that the second person of a motion signs. */
export function motionDigest({
  motion,
  act,
  subject,
  statement,
}: Pick<EntryOf<"motion.proposed">, "motion" | "act" | "subject" | "statement">): string {
  return hex(sha256(utf8(canonical({ motion, act, subject, statement }))))
}

/** What a motion does comes into effect with the second person's signature. */
export function seconded(entry: EntryOf<"motion.seconded">, index: number, state: State): Part {
  const { motion: id, statement } = entry
  const motion = mustHold(state.record("motion", id))
  const isCarried = statement.decision === "second"
  const closed = record("motion", id, { ...motion, status: isCarried ? "carried" : "rejected" })
  if (!isCarried) return { records: [closed] }
  const { records = [], counters = [], captures = [] } = carried(motion, { entry, index, state })
  return { records: [closed, ...records], counters, captures }
}

export function stopOf(scope: string, person: string, isStopped: boolean): Records["stop"] {
  return { scope, isStopped, person }
}

const look_ms = 10 * 60_000

function carried(
  { act, subject, statement, proposer }: MotionState,
  by: { readonly entry: EntryOf<"motion.seconded">; readonly index: number; readonly state: State },
): Part {
  const { entry, state } = by
  const stated = statement as never
  switch (act) {
    case "enroll":
      return enrolled(mustHold(subject), stated, state)
    case "policy":
      return { records: [record("policy", "policy", stated)] }
    case "resume": {
      const { scope } = statement as { scope: string }
      return { records: [record("stop", scope, stopOf(scope, proposer, false))] }
    }
    case "add-key": {
      const { person, key, kind, credential } = stated as Extract<
        MotionState["statement"],
        { credential: unknown }
      >
      return { records: [record("key", key, personsKey(person, kind, credential))] }
    }
    case "remove-key": {
      const { key } = statement as { key: string }
      // A key that was taken away keeps its row without an owner, so that it never comes back.
      const { kind, credential } = mustHold(state.record("key", key))
      return { records: [record("key", key, personsKey(null, kind, credential))] }
    }
    case "change-office":
      return movedPerson(stated, by.index, state)
    case "look": {
      const { grant, capture } = stated as { grant: string; capture: string }
      const until = new Date(Date.parse(entry.at) + look_ms).toISOString()
      return { records: [record("look", lookName(grant, capture), { person: proposer, until })] }
    }
    case "add-destination":
    case "remove-destination":
      return { records: carriedDestination({ act, subject, statement }, state) }
    case "lift-person":
    case "lift-organization":
      return { records: liftedBy(stated, state) }
    case "adopt-model":
      return { records: adopted(statement, { motion: entry.motion, entry: by.index }) }
    case "set-boxes":
      return settled(stated, by.index, state)
    case "sign-statement":
      return signedStatement(stated, by)
    case "break-glass":
      return brokenGlass(
        { grant: mustHold(subject), requester: proposer, terms: (stated as { terms: Terms }).terms },
        by,
      )
  }
}

/** Their plates are all that count from here on; their faces count beside those that the examination found. */
function settled(
  { capture, plates, faces }: Extract<MotionState["statement"], { readonly plates: unknown }>,
  index: number,
  state: State,
): Part {
  const before = state.record("boxes", capture)
  const held = state.capture(capture)
  const found = (held?.faces ?? 0) - (before?.faces.length ?? 0)
  return {
    records: [record("boxes", capture, { plates, faces, entry: index })],
    // The vault follows the log too, and keeps no captures.
    captures: held === null ? [] : [{ ...held, plates: plates.length, faces: found + faces.length }],
  }
}

/** A case that two keys open: approved from its first entry on, and waiting for its review. */
function brokenGlass(
  { grant, requester, terms }: Pick<GrantState, "grant" | "requester" | "terms">,
  {
    entry,
    index,
    state,
  }: { readonly entry: EntryOf<"motion.seconded">; readonly index: number; readonly state: State },
): Part {
  const due_at = reviewDueAt(terms.ends_at)
  const opened: GrantState = {
    ...{ grant, version: 1, terms, terms_sha256: termsDigest(terms), requester },
    ...{ status: "approved", approvals: [], frozen_at: index },
    glass: { second: entry.person, review_due_at: due_at, outcome: null },
    entries: [index],
  }
  const open = [...(state.record("glass", "glass")?.open ?? []), { grant, due_at }]
  return { records: [record("grant", grant, opened), record("glass", "glass", { open })] }
}

export function reviewed({ grant, statement }: EntryOf<"glass.reviewed">, index: number, state: State): Part {
  const held = mustHold(state.record("grant", grant))
  const glass = { ...mustHold(held.glass), outcome: statement.outcome }
  const open = mustHold(state.record("glass", "glass")).open.filter(each => each.grant !== grant)
  return {
    records: [
      record("grant", grant, { ...held, glass, entries: [...held.entries, index] }),
      record("glass", "glass", { open }),
    ],
  }
}
