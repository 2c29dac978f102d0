import type { GrantState } from "../grant/decide.ts"
import { rootOf } from "../log/standing.ts"
import { names } from "../log/state.ts"
import { wanting, type CaptureRow } from "../ledger/ledger.ts"
import { foundIn, withBoxes } from "../vault/findings.ts"
import { isCanary } from "./canaries.ts"
import { chainKeys, recordOf, stateOf } from "./caller.ts"
import { isCovered } from "./draw.ts"
import type { House } from "./house.ts"
import type { Extent } from "../grant/level.ts"
import { keptBoxes, type Findings, type KeptBoxes } from "../picture/level.ts"

/** What a grant selects as of now, and what a breach of its holder's organization would lose. No pictures, no plates. */
export interface Preview {
  /** Captures that the terms select among those that are in. */
  readonly selected: number
  /** The most that would leave of them: the smaller of selection and budget. */
  readonly would_leave: number
  readonly by_lane: readonly { readonly lane: string; readonly captures: number }[]
  /** By port-local hour of the day, 0 to 23. */
  readonly by_hour: readonly number[]
  /** If this vendor were breached tomorrow: what its tree holds already, and this grant used to its end. */
  readonly if_breached: {
    readonly held_already: number
    /** Images with those of this grant, at most. */
    readonly images: number
    /** Of how many crossings these images are, at least: those with the most pictures first. */
    readonly crossings: number
    /** Faces that the examination found in what is selected; `null` when it did not look for them. */
    readonly faces: number | null
  }
  /** Of at most 12 captures: which regions the level shows and which stay solid. No picture and no text is behind them. */
  readonly silhouettes: readonly Silhouette[]
  /** Whether more than 100,000 captures were in question and the counting stopped there. */
  readonly is_cut: boolean
}

export interface Silhouette extends KeptBoxes {
  readonly capture: string
  readonly width_px: number
  readonly height_px: number
}

const drawn = 12
const page = 500
const most = 100_000

/** Counts what the terms select. Reads rows only; nothing is opened, charged or logged. */
export async function preview(house: House, grant: GrantState): Promise<Preview> {
  const { terms } = grant
  // Before the approval the selection is what is in by now.
  const as = { terms, frozen_at: grant.frozen_at < 0 ? Number.MAX_SAFE_INTEGER : grant.frozen_at }
  const lanes = new Map<string, number>()
  const hours = new Array<number>(24).fill(0)
  const crossings = new Map<string, number>()
  const silhouettes: Silhouette[] = []
  let [selected, seen, faces, looked] = [0, 0, 0, 0]
  let after: { after?: string } = {}
  for (;;) {
    const rows = await house.ledger.captures({ lanes: terms.lanes, examined: true, limit: page, ...after })
    for (const row of rows.filter(each => isCovered(each, as) && !isCanary(house, each.id))) {
      selected += 1
      lanes.set(row.lane, (lanes.get(row.lane) ?? 0) + 1)
      const hour = Number(row.hour.slice(11, 13))
      hours[hour] = (hours[hour] ?? 0) + 1
      crossings.set(row.crossing, (crossings.get(row.crossing) ?? 0) + 1)
      if (silhouettes.length < Math.min(drawn, terms.images)) {
        const found = await shownIn(house, row)
        if (found !== null) silhouettes.push(silhouetteOf(row.id, found, terms))
      }
      if (row.faces !== null) [faces, looked] = [faces + row.faces, looked + 1]
    }
    seen += rows.length
    const last = rows.at(-1)
    if (last === undefined || rows.length < page || seen >= most) break
    after = { after: last.id }
  }
  const would_leave = Math.min(selected, terms.images)
  const held_already = await heldBy(house, terms.holder)
  return {
    selected,
    would_leave,
    by_lane: [...lanes].sort().map(([lane, captures]) => ({ lane, captures })),
    by_hour: hours,
    if_breached: {
      held_already,
      images: held_already + would_leave,
      crossings: fewestOf([...crossings.values()], would_leave),
      faces: looked === 0 ? null : faces,
    },
    silhouettes,
    is_cut: seen >= most,
  }
}

/** The fewest parts of these sizes that hold so many in all. */
export function fewestOf(sizes: readonly number[], count: number): number {
  let left = count
  const taken = [...sizes].sort((a, b) => b - a).findIndex(size => (left -= size) <= 0)
  return count <= 0 ? 0 : taken < 0 ? sizes.length : taken + 1
}

/** What was found, with the boxes that two people set. */
export async function shownIn(house: House, row: CaptureRow): Promise<Findings | null> {
  const found = foundIn(row)
  const boxes = found === null ? null : await recordOf(house, "boxes", row.id)
  return found === null || boxes === null ? found : withBoxes(found, boxes)
}

function silhouetteOf(capture: string, found: Findings, { level, region }: Extent): Silhouette {
  const { width_px, height_px } = found
  return { capture, width_px, height_px, ...keptBoxes(level, found, region) }
}

/** How many captures the tree of a person's organization holds copies of. */
async function heldBy(house: House, holder: string): Promise<number> {
  const person = await recordOf(house, "person", holder)
  if (person === null) return 0
  const wanted = wanting({ records: await chainKeys(house, person.organization) })
  const set = names.held(rootOf(person.organization, await stateOf(house, wanted)))
  let held = 0
  let after: { after?: { set: string; member: string } } = {}
  for (;;) {
    const rows = await house.ledger.members({ set, limit: 1000, ...after })
    held += rows.length
    const last = rows.at(-1)
    if (last === undefined || rows.length < 1000) return held
    after = { after: last }
  }
}
