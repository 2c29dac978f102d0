import { Recount } from "../incident/recount.ts"
import type { ScopeQuery, ScopeResult } from "../incident/scope.ts"
import type { Entry } from "../log/kinds.ts"

/** Which entries an incident's pack is about. Entries are given in order. */
export class Concerned {
  readonly recount: Recount
  readonly #incident: string
  readonly #query: ScopeQuery
  /** What was declared, counted, started, stated and signed of it. */
  readonly own: number[] = []
  readonly #motions = new Set<string>()
  /** Who is above whom, and whose copies found files were. */
  readonly #ground: number[] = []
  readonly #grants = new Map<string, number[]>()

  constructor({ incident, query, canaries_left }: Pick<ScopeResult, "incident" | "query" | "canaries_left">) {
    this.#incident = incident
    this.#query = query
    this.recount = new Recount(query, canaries_left)
  }

  /** @returns whether it is one of the incident's own. */
  takeOwn(index: number, entry: Entry): boolean {
    const isOwn = this.#isOwn(entry)
    if (isOwn) this.own.push(index)
    return isOwn
  }

  take(index: number, entry: Entry): void {
    this.recount.take(index, entry)
    if (this.takeOwn(index, entry)) return
    if (this.#isGround(entry)) this.#ground.push(index)
    else if (entry.kind.startsWith("grant.") && "grant" in entry && entry.grant !== null) {
      const held = this.#grants.get(entry.grant) ?? []
      held.push(index)
      this.#grants.set(entry.grant, held)
    }
  }

  #isOwn(entry: Entry): boolean {
    if (entry.kind === "motion.proposed") {
      const { incident } = entry.statement as { incident?: string }
      if (entry.act !== "sign-statement" || incident !== this.#incident) return false
      this.#motions.add(entry.motion)
      return true
    }
    if (entry.kind === "motion.seconded") return this.#motions.has(entry.motion)
    return "incident" in entry && entry.incident === this.#incident
  }

  #isGround(entry: Entry): boolean {
    if (entry.kind === "genesis" || entry.kind === "organization.added") return true
    const { cause } = this.#query
    return entry.kind === "trace.closed" && cause.of === "files" && cause.traces.includes(entry.trace)
  }

  /** All of them, ascending: its own, the ground, each permit that left something, its delivery, and its grant's history. */
  all(): readonly number[] {
    const left = this.recount.permits()
    const grants = new Set(left.map(({ entry }) => entry.by.grant))
    const found = [
      ...this.own,
      ...this.#ground,
      ...left.flatMap(({ permit, delivered }) => (delivered === null ? [permit] : [permit, delivered])),
      ...[...grants].flatMap(grant => this.#grants.get(grant) ?? []),
    ]
    return [...new Set(found)].sort((a, b) => a - b)
  }
}
