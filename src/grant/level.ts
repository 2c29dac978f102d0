/** How much of a capture is shown, DESIGN: L0 numbers only, L1 silhouette, L2 plate visible, L3 face visible, L4 full frame. */
export type Level = "L0" | "L1" | "L2" | "L3" | "L4"

export const levels: readonly Level[] = ["L0", "L1", "L2", "L3", "L4"]

/** The sight that a level gives, as bits: 1 silhouette, 2 plate, 4 face, 8 everything else. */
const sight: Readonly<Record<Level, number>> = { L0: 0, L1: 1, L2: 3, L3: 5, L4: 15 }

/**
 * How much L2 shows around plates. Close: the plate's width to each side, its height up and twice that down, DESIGN §5. Wide:
 * further, until what is shown is enough to tell one of five who put their copies together (decision 0027).
 */
export type Region = "close" | "wide"

/** What a wide region grows to, over all plates of a picture together; no more than half of the picture. */
export const wide_px = 200_000

/** What terms allow, a permit says and a copy shows: a level, and around plates a region, the close one where none is named. */
export interface Extent {
  readonly level: Level
  readonly region?: Region | undefined
}

/** The level of that name, or `null`. */
export function levelOf(text: string): Level | null {
  return levels.find(level => level === text) ?? null
}

/** Whether `high` shows all that `low` shows. A partial order: L2 and L3 do not compare. */
export function covers(high: Level, low: Level): boolean {
  return (sight[high] & sight[low]) === sight[low]
}

/** The lowest level that shows what both show: L2 with L3 is L4, since the two together show plate and face. */
export function join(a: Level, b: Level): Level {
  const both = sight[a] | sight[b]
  return levels.find(level => (sight[level] & both) === both) ?? "L4"
}

/** A level as people read it, with its region where that is the wide one: at a lower level than its grant's nothing is shown around plates. */
export function extentWords({ level, region }: Extent): string {
  return level === "L2" && region === "wide" ? `${level}, wide around plates` : level
}
