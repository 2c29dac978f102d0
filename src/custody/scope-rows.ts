import { assert } from "../fault.ts"
import type { EntryRow } from "../ledger/ledger.ts"
import type { Entry, EntryOf } from "../log/kinds.ts"

/** One permit for a person: what left, or was charged and did not. */
export interface PermitRow {
  readonly permit: number
  readonly at: string
  readonly capture: string
  readonly person: string
  readonly organization: string
  readonly grant: string
  readonly level: EntryOf<"permit">["level"]
  readonly device: string | null
  readonly network: string | null
}

/** One request for images that was refused, with those that it named. */
export interface RefusedRow {
  readonly at: string
  readonly captures: readonly string[]
  /** How many a draw asked for without naming them. */
  readonly unnamed: number
  readonly person: string | null
  readonly device: string | null
  readonly network: string | null
}

/** What an entry binds of a capture and does not hold. */
export interface Bound {
  readonly header_sha256: string
  readonly findings_commitment: string | null
}

/** What the first engine takes from verified entries, beside the state that they lead to. */
export class ScopeRows {
  readonly permits: PermitRow[] = []
  /** By permit: the entry that says so. */
  readonly delivered = new Map<number, number>()
  readonly refused: RefusedRow[] = []
  readonly folded: { readonly at: string; readonly person: string; readonly count: number }[] = []
  readonly bound = new Map<string, Bound>()
  /** How many captures each reader's numbers stand for. */
  readonly taken = new Map<string, number>()
  first_at = ""
  last_at = ""

  /** Entries that were verified, in order. */
  take(rows: readonly EntryRow[]): void {
    for (const row of rows) this.#entry(JSON.parse(new TextDecoder().decode(row.bytes)) as Entry, row.index)
  }

  #entry(entry: Entry, index: number): void {
    if (index === 0) this.first_at = entry.at
    this.last_at = entry.at
    switch (entry.kind) {
      case "admitted":
        this.bound.set(entry.capture, { header_sha256: entry.header_sha256, findings_commitment: null })
        this.taken.set(entry.reader, (this.taken.get(entry.reader) ?? 0) + 1)
        return
      case "examined": {
        const held = this.bound.get(entry.capture)
        assert(held !== undefined, "what is examined was admitted")
        this.bound.set(entry.capture, { ...held, findings_commitment: entry.findings_commitment })
        return
      }
      case "permit":
        return this.#permit(entry, index)
      case "delivered":
        return void this.delivered.set(entry.permit, index)
      case "refused":
        return this.#refused(entry)
      case "refused.folded":
        return void this.folded.push({ at: entry.last_at, person: entry.person, count: entry.count })
      default:
    }
  }

  #permit({ at, capture, level, by, asked }: EntryOf<"permit">, permit: number): void {
    if (by === null) return
    const { person, organization, grant, network } = by
    const device = asked?.device?.key ?? null
    this.permits.push({ permit, at, capture, person, organization, grant, level, device, network })
  }

  #refused({ of, at, capture, person, network, asked, statement }: EntryOf<"refused">): void {
    if (of !== "release" && of !== "reveal" && of !== "draw") return
    const drawn = statement !== null && "captures" in statement ? statement : null
    const captures = of === "draw" ? (drawn?.captures ?? []) : capture === null ? [] : [capture]
    const unnamed = of === "draw" ? (drawn?.count ?? 0) : 0
    this.refused.push({ at, captures, unnamed, person, device: asked?.device?.key ?? null, network })
  }
}
