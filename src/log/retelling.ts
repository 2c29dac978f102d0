import type { EntryRow } from "../ledger/ledger.ts"
import type { PastRequest } from "../watch/back-test.ts"
import { effectsOf } from "./effects.ts"
import { parseEntry, type Entry } from "./kinds.ts"
import { saysWhoMay } from "./passed-by.ts"
import type { Problem } from "./replay.ts"
import { mustHold, rootOf } from "./standing.ts"
import { names, Register, type Effects } from "./state.ts"
import { openingOf, requestOf, watchCodes } from "./watching.ts"

/** Who wants to know what the watch was told. */
export interface Hears {
  opening(past: PastRequest, entry: number): void
  /** Whom the watch asked said why. */
  answered?(person: string, organization: string): void
  lifted?(of: { readonly person: string | null; readonly organization: string }): void
}

/** Sets that no request of the watch rests on. */
const unread = [names.permits(""), names.copies(""), names.held("")]

/**
 * Follows the log from its first entry and tells what the watch was told of each opening, as it was then. Entries are not judged: that is
 * `Replay`'s. Memory grows with people, grants and what was released.
 */
export class Retelling {
  size = 0
  /** Time of the newest entry. */
  time_ms = 0
  readonly #hears: Hears
  readonly #register = new Register(null, keeps)

  constructor(hears: Hears) {
    this.#hears = hears
  }

  /** Takes the next entries, in order. @returns the first that is no entry. */
  take(rows: readonly EntryRow[]): Problem[] {
    for (const { index, bytes } of rows) {
      const entry = parseEntry(bytes)
      if (entry === null || index !== this.size)
        return [
          { at: `entry ${index}`, why: "not an entry of a known kind in canonical form, or out of order" },
        ]
      this.size += 1
      this.time_ms = Date.parse(entry.at)
      if (!saysWhoMay(entry)) continue
      this.#tell(entry, index)
      this.#register.apply(effectsOf(entry, index, this.#register), index)
    }
    return []
  }

  #tell(entry: Entry, index: number): void {
    switch (entry.kind) {
      case "permit":
      case "refused":
        return this.#opening(entry, index)
      case "watch.answered":
        return this.#hears.answered?.(entry.person, this.#rootOfPerson(entry.person))
      case "motion.seconded":
        if (entry.statement.decision === "second") this.#carried(entry.motion)
        return
      default:
    }
  }

  #opening(entry: Extract<Entry, { kind: "permit" | "refused" }>, index: number): void {
    const opening = openingOf(entry, this.#register)
    if (opening === null) return
    const { verdict, about, mode } = mustHold(entry.watch ?? null)
    const past = {
      person: opening.person,
      organization: rootOf(opening.organization, this.#register),
      request: requestOf(opening, this.#register, this.time_ms),
      ...{ verdict, about, isObserved: mode === "observe", isGiven: entry.kind === "permit" },
      isHeldBack: entry.kind === "refused" && entry.code === watchCodes["step-up"],
    }
    this.#hears.opening(past, index)
  }

  #carried(motion: string): void {
    const { act, statement } = mustHold(this.#register.record("motion", motion))
    const { person = null, organization } = statement as { person?: string; organization?: string }
    if (act === "lift-person" && person !== null)
      this.#hears.lifted?.({ person, organization: this.#rootOfPerson(person) })
    if (act === "lift-organization" && organization !== undefined)
      this.#hears.lifted?.({ person: null, organization })
  }

  #rootOfPerson(person: string): string {
    return rootOf(mustHold(this.#register.record("person", person)).organization, this.#register)
  }
}

function keeps(effects: Effects): Effects {
  return {
    ...effects,
    ...{ messages: [], captures: [] },
    records: effects.records.filter(({ kind }) => kind !== "alert" && kind !== "signal"),
    members: effects.members.filter(({ set }) => !unread.some(each => set.startsWith(each))),
  }
}
