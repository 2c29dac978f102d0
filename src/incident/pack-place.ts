import { Fault } from "../fault.ts"
import type { Effective, Pack } from "./clock-pack.ts"
import { conflictsOf, type Conflict } from "./pack-set.ts"

/** An agency's own packs beside those that come along, or in their place. */

/** A pack, and where it is from. */
export interface PlacedPack {
  readonly pack: Pack
  /** `null`: it came along. */
  readonly file: string | null
  /** Versions of it that came along, and do not count beside it. */
  readonly replaces: readonly number[]
}

export interface OwnPack {
  readonly pack: Pack
  readonly file: string
}

/**
 * Own packs beside those that come along. One with the id of a pack that comes along and a higher version takes its place on the days of its
 * own: whichever version is in force on one of these days does not count any more; one for other days stays, for the law of then.
 * @throws Fault CLOCK_PACK naming the file where an own version is not higher than one that it meets, and both files of two own ones.
 */
export function placed(shipped: readonly Pack[], own: readonly OwnPack[]): PlacedPack[] {
  const mine = own.map(({ pack, file }, n) => {
    for (const other of own.slice(0, n)) assertApart({ pack, file }, other)
    const met = shipped.filter(each => each.id === pack.id && meets(each, pack))
    const notBelow = met.find(({ version }) => version >= pack.version)
    if (notBelow !== undefined)
      throw new Fault(
        "CLOCK_PACK",
        `${file}: version ${pack.version} of ${pack.id} is not higher than version ${notBelow.version}, which comes along`,
        { next: "give it a higher version to put it in its place, or an id of its own to have both" },
      )
    return { pack, file, replaces: met.map(({ version }) => version) }
  })
  const isReplaced = (pack: Pack) =>
    mine.some(each => each.pack.id === pack.id && each.replaces.includes(pack.version))
  const others = shipped.filter(pack => !isReplaced(pack))
  return [...others.map(pack => ({ pack, file: null, replaces: [] })), ...mine]
}

function assertApart(one: OwnPack, other: OwnPack): void {
  if (one.pack.id !== other.pack.id || !meets(one.pack, other.pack)) return
  throw new Fault(
    "CLOCK_PACK",
    `${other.file} and ${one.file} are both ${one.pack.id} (versions ${other.pack.version} and ${one.pack.version}) and in force on one day`,
    { next: "give the earlier one an end (effective.until), or leave one out" },
  )
}

/** Whether they are one version, or in force on one day. */
function meets(a: Pack, b: Pack): boolean {
  return a.version === b.version || (starts(a) < ends(b) && starts(b) < ends(a))
}

const starts = ({ effective: { from } }: { readonly effective: Effective }) => from ?? "0000-00-00"
const ends = ({ effective: { until } }: { readonly effective: Effective }) => until ?? "9999-99-99"

/** Packs as they are listed, with the duties that they time differently. */
export interface ListedPacks {
  readonly packs: readonly PackRow[]
  readonly conflicts: readonly Conflict[]
}

export interface PackRow extends Pick<Pack, "id" | "version" | "title" | "effective" | "sha256"> {
  /** Their ids. */
  readonly rules: readonly string[]
  readonly file: string | null
  readonly replaces: readonly number[]
}

export function listed(packs: readonly PlacedPack[]): ListedPacks {
  const rows = packs.map(({ pack: { id, version, title, effective, sha256, rules }, file, replaces }) => {
    return { id, version, title, effective, sha256, rules: rules.map(rule => rule.id), file, replaces }
  })
  return { packs: rows, conflicts: conflictsOf(packs.map(({ pack }) => pack)) }
}
