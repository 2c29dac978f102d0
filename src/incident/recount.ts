import { sha256 } from "@noble/hashes/sha2.js"
import { hex, utf8 } from "../bytes.ts"
import type { Entry } from "../log/kinds.ts"
import type { DayLeft, Part, ScopeQuery, ScopeResult } from "./scope.ts"

/**
 * The set `left` counted once more, from entries alone and with none of the code of the two engines: what an inspector does.
 * Entries are given in order; those of other kinds change nothing.
 */
export class Recount {
  readonly #query: ScopeQuery
  /** Organizations and who is above them. */
  readonly #parents = new Map<string, string | null>()
  /** Of a cause by files: whose copies they are, and originals that led to nobody. */
  readonly #accused = new Set<string>()
  readonly #open = new Set<string>()
  readonly #permits = new Map<number, Permit>()
  readonly #delivered = new Map<number, number>()

  readonly #canaries: ReadonlySet<string>

  /** @param canaries  as the result names them: on the vault's word, which has the key. */
  constructor(query: ScopeQuery, canaries: readonly string[]) {
    this.#query = query
    this.#canaries = new Set(canaries)
  }

  take(index: number, entry: Entry): void {
    switch (entry.kind) {
      case "genesis":
        return void this.#parents.set(entry.organization, null)
      case "organization.added":
        return void this.#parents.set(entry.organization, entry.statement.parent)
      case "trace.closed":
        return this.#traced(entry)
      case "delivered":
        return void this.#delivered.set(entry.permit, index)
      case "permit":
        if (entry.by !== null) this.#permits.set(index, permitOf(entry, entry.by))
        return
      default:
    }
  }

  /** Permits of the set, ascending, each with its delivery or `null`. */
  permits(): readonly {
    readonly permit: number
    readonly delivered: number | null
    readonly entry: Permit
  }[] {
    return [...this.#permits]
      .filter(([, entry]) => !this.#canaries.has(entry.capture) && this.#isLeft(entry))
      .map(([permit, entry]) => ({ permit, delivered: this.#delivered.get(permit) ?? null, entry }))
  }

  figures(): Recounted {
    const left = this.permits()
    const ids = [...new Set(left.map(({ entry }) => entry.capture))].sort()
    const out = left.filter(({ delivered }) => delivered !== null)
    const by = (key: (entry: Permit) => string) => parts(left.map(({ entry }) => [key(entry), entry.capture]))
    return {
      images: { at_least: new Set(out.map(({ entry }) => entry.capture)).size, at_most: ids.length },
      files: { at_least: out.length, at_most: left.length },
      ids_sha256: hex(sha256(utf8(ids.join("\n")))),
      holder: by(({ by: { person } }) => person),
      lane: by(({ lane }) => lane),
      capture_day: by(({ hour }) => hour.slice(0, 10)),
      release_day: by(({ at }) => at.slice(0, 10)),
      level: this.#levels(left.map(({ entry }) => entry)),
      series: byDay(
        left.map(({ entry }) => entry),
        out.map(({ entry }) => entry),
      ),
    }
  }

  /** Of each tree of organizations and capture, all that it was shown; counted by that. */
  #levels(left: readonly Permit[]): readonly Part[] {
    const seen = new Map<string, { capture: string; sight: number; files: number }>()
    for (const { capture, level, by } of left) {
      const name = `${this.#rootOf(by.organization)} ${capture}`
      const held = seen.get(name) ?? { capture, sight: 0, files: 0 }
      seen.set(name, { capture, sight: held.sight | (sights[level] ?? 15), files: held.files + 1 })
    }
    return parts(
      [...seen.values()].flatMap(({ capture, sight, files }) => {
        const level = Object.keys(sights).find(name => sights[name] === sight) ?? "L4"
        return Array.from({ length: files }, () => [level, capture] as const)
      }),
    )
  }

  #isLeft(entry: Permit): boolean {
    const { from, until } = this.#query
    const at_ms = Date.parse(entry.at)
    return at_ms >= Date.parse(from) && at_ms < Date.parse(until) && this.#isHit(entry)
  }

  #isHit({ by, device, capture }: Permit): boolean {
    const { cause } = this.#query
    switch (cause.of) {
      case "organizations":
        return this.#chain(by.organization).some(each => cause.organizations.includes(each))
      case "people":
        return cause.people.includes(by.person)
      case "devices":
        return cause.devices.includes(device ?? "")
      case "networks":
        return cause.networks.includes(by.network ?? "")
      case "files":
        return this.#accused.has(by.person) || this.#open.has(capture)
    }
  }

  #traced({ trace, verdicts }: Extract<Entry, { kind: "trace.closed" }>): void {
    const { cause } = this.#query
    if (cause.of !== "files" || !cause.traces.includes(trace)) return
    for (const { capture, people } of verdicts) {
      for (const { person } of people) this.#accused.add(person)
      if (people.length === 0 && capture !== null) this.#open.add(capture)
    }
  }

  #chain(organization: string): string[] {
    const above = this.#parents.get(organization) ?? null
    return above === null ? [organization] : [organization, ...this.#chain(above)]
  }

  #rootOf(organization: string): string {
    return this.#chain(organization).at(-1) ?? organization
  }
}

type PermitEntry = Extract<Entry, { kind: "permit" }>
type By = NonNullable<PermitEntry["by"]>

/** What counting needs of a permit: there may be hundreds of thousands. */
interface Permit extends Pick<PermitEntry, "at" | "capture" | "lane" | "hour" | "level"> {
  readonly by: Pick<By, "person" | "organization" | "network" | "grant">
  readonly device: string | null
}

function permitOf({ at, capture, lane, hour, level, asked }: PermitEntry, by: By): Permit {
  const { person, organization, network, grant } = by
  const device = asked?.device?.key ?? null
  return { at, capture, lane, hour, level, by: { person, organization, network, grant }, device }
}

/** 1 silhouette, 2 plate, 4 face, 8 all else. */
const sights: Readonly<Record<string, number>> = { L0: 0, L1: 1, L2: 3, L3: 5, L4: 15 }

export interface Recounted {
  readonly images: { readonly at_least: number; readonly at_most: number }
  readonly files: { readonly at_least: number; readonly at_most: number }
  readonly ids_sha256: string
  readonly holder: readonly Part[]
  readonly lane: readonly Part[]
  readonly capture_day: readonly Part[]
  readonly release_day: readonly Part[]
  readonly level: readonly Part[]
  /** Images by the end of each day. */
  readonly series: readonly Pick<DayLeft, "day" | "images">[]
}

/** Permits in the order of the log. */
function byDay(permitted: readonly Permit[], delivered: readonly Permit[]): Recounted["series"] {
  const after = (permits: readonly Permit[]) => {
    const seen = new Set<string>()
    return new Map(permits.map(({ at, capture }) => [at.slice(0, 10), seen.add(capture).size]))
  }
  const [out, rows] = [after(delivered), [] as Recounted["series"][number][]]
  let before = { at_least: 0, at_most: 0 }
  for (const [day, at_most] of after(permitted)) {
    const images = { at_least: out.get(day) ?? before.at_least, at_most }
    if (images.at_least > before.at_least || at_most > before.at_most) rows.push({ day, images })
    before = images
  }
  return rows
}

/** Distinct captures and rows of each key, keys ascending. */
function parts(rows: readonly (readonly [key: string, capture: string])[]): readonly Part[] {
  const held = new Map<string, string[]>()
  for (const [key, capture] of rows) {
    const captures = held.get(key) ?? []
    captures.push(capture)
    held.set(key, captures)
  }
  return [...held]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, captures]) => ({ key, images: new Set(captures).size, files: captures.length }))
}

/** What of a result the entries do not bear out, as a sentence; `null` where all that was counted again is equal. */
export function differs(recounted: Recounted, result: ScopeResult): string | null {
  const { left, left_by, left_series, ids_sha256 } = result
  const bounds = ({ at_least, at_most }: Recounted["images"]) => `${at_least} to ${at_most}`
  const rows: readonly (readonly [what: string, counted: string, said: string])[] = [
    ["images", bounds(recounted.images), bounds(left.images)],
    ["files", bounds(recounted.files), bounds(left.files)],
    ["capture ids", recounted.ids_sha256, ids_sha256.left],
    ...(["holder", "lane", "capture_day", "release_day", "level"] as const).map(name => {
      return [`images by ${name}`, partsText(recounted[name]), partsText(left_by[name])] as const
    }),
    ...(left_series === undefined
      ? []
      : [["images by the end of each day", daysText(recounted.series), daysText(left_series)] as const]),
  ]
  const wrong = rows.find(([, counted, said]) => counted !== said)
  if (wrong === undefined) return null
  const [what, counted, said] = wrong
  return `${what}: the entries say ${counted.slice(0, 120)}, the result ${said.slice(0, 120)}`
}

function daysText(days: Recounted["series"]): string {
  return days.map(({ day, images }) => `${day} ${images.at_least} ${images.at_most}`).join(", ")
}

function partsText(all: readonly Part[]): string {
  return [...all]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, images, files }) => `${key} ${images} ${files}`)
    .join(", ")
}
