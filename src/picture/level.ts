import { wide_px, type Level, type Region } from "../grant/level.ts"

/** A rectangle in the pixels of the oriented picture (EXIF orientation applied): left, top, width, height. */
export interface Box {
  readonly x_px: number
  readonly y_px: number
  readonly width_px: number
  readonly height_px: number
}

/** What an examination found in one picture. That a box may show anything is judged here, by `plateLimits` and `faceLimits`. */
export interface Findings {
  /** Of the oriented picture. */
  readonly width_px: number
  readonly height_px: number
  /** Plates that our own finder saw, alone or where the reader claims one, or that two people set. */
  readonly plates: readonly Box[]
  /** `null` while no face finder has looked; an empty list when one has and found none. */
  readonly faces: readonly Box[] | null
  /** What a reader claims and our own finders do not see. It hides what it covers, and shows nothing. */
  readonly doubted: { readonly plates: readonly Box[]; readonly faces: readonly Box[] }
}

/** Nobody claimed anything that our own finders do not see. */
export const undoubted: Findings["doubted"] = { plates: [], faces: [] }

/** Which pixels a level shows: those inside a box of `keep` and outside every box of `solid`. */
export interface KeptBoxes {
  readonly keep: readonly Box[]
  readonly solid: readonly Box[]
}

export interface Limit {
  readonly because: string
  readonly holds: (box: Box, picture: Findings) => boolean
}

const isWhole: Limit = {
  because: "a box is whole pixels, not empty, inside the picture",
  holds: (box, picture) =>
    [box.x_px, box.y_px, box.width_px, box.height_px].every(Number.isSafeInteger) &&
    box.x_px >= 0 &&
    box.y_px >= 0 &&
    box.width_px > 0 &&
    box.height_px > 0 &&
    box.x_px + box.width_px <= picture.width_px &&
    box.y_px + box.height_px <= picture.height_px,
}

/**
 * When a box counts as a plate. A reader is the vendor's, and a box is what opens a redacted copy: without limits a
 * reader that claims the whole windscreen as plate gets faces under a grant for plates. The figures in the reasons are
 * of 193 annotated photographs of vehicles from Europe, the USA and Brazil.
 */
export const plateLimits: readonly Limit[] = [
  isWhole,
  {
    because: "no plate is readable below 16 × 8 pixels (smallest annotated: 55 × 16)",
    holds: atLeast(16, 8),
  },
  { because: "a plate is at most 3/4 as wide as its picture (widest: 71 %)", holds: widthAtMost(0.75) },
  { because: "a plate is at most half as high as its picture (highest: 39 %)", holds: heightAtMost(0.5) },
  { because: "a plate covers at most 22 % of its picture (largest: 20.4 %)", holds: areaAtMost(0.22) },
  {
    because: "a plate is 0.8 to 8 times as wide as high (2.0 to 4.6; motorcycles 1.0)",
    holds: aspect(0.8, 8),
  },
]

/** When a box counts as a face. */
export const faceLimits: readonly Limit[] = [
  isWhole,
  { because: "no face is recognizable below 8 × 8 pixels", holds: atLeast(8, 8) },
  { because: "a face is at most half as high and wide as a lane's picture", holds: widthAtMost(0.5) },
  { because: "a face is at most half as high and wide as a lane's picture", holds: heightAtMost(0.5) },
  { because: "a face is 0.4 to 1.6 times as wide as high, in any pose", holds: aspect(0.4, 1.6) },
]

/** Why a box does not count, or `null`. */
export function brokenLimit(limits: readonly Limit[], box: Box, picture: Findings): string | null {
  return limits.find(limit => !limit.holds(box, picture))?.because ?? null
}

function atLeast(width_px: number, height_px: number): Limit["holds"] {
  return box => box.width_px >= width_px && box.height_px >= height_px
}

function widthAtMost(share: number): Limit["holds"] {
  return (box, picture) => box.width_px <= share * picture.width_px
}

function heightAtMost(share: number): Limit["holds"] {
  return (box, picture) => box.height_px <= share * picture.height_px
}

function areaAtMost(share: number): Limit["holds"] {
  return (box, picture) => area(box) <= share * picture.width_px * picture.height_px
}

function aspect(least: number, most: number): Limit["holds"] {
  return box => box.width_px >= least * box.height_px && box.width_px <= most * box.height_px
}

/** A list with more boxes than this is no finding of plates or faces in one lane, and none of it counts. */
export const maxBoxes = 32

/** All boxes of one kind together; else thirty boxes within their limits would tile the whole picture. */
const maxSharePerKind = 0.35

/** Plate boxes grown over more than this would be the full frame by another name: then the bare boxes stay. */
const maxShareGrown = 0.5

/** How far L2 shows beyond the plate, once faces are known: in plate widths and heights. */
const growth = { sides: 1, up: 1, down: 2 }

/** A wide region grows by quarters of a plate, to the sides and down, and up to so many plates. */
const widestBy = 16

/**
 * Which boxes of a level stay, and which stay solid inside them.
 * A box that shows pixels has to pass its limits; a box that hides pixels need not, and is clipped to the picture.
 * L4 keeps one box, the whole picture; L0 and L1 keep nothing, since a silhouette has no pixel of the original.
 */
export function keptBoxes(level: Level, findings: Findings, region: Region = "close"): KeptBoxes {
  switch (level) {
    case "L0":
    case "L1":
      return { keep: [], solid: [] }
    case "L2":
      return {
        keep: grownPlates(findings, region),
        solid: clipped([...(findings.faces ?? []), ...findings.doubted.faces], findings),
      }
    case "L3":
      return {
        keep: countedFaces(findings),
        solid: clipped([...findings.plates, ...findings.doubted.plates], findings),
      }
    case "L4":
      return {
        keep: [{ x_px: 0, y_px: 0, width_px: findings.width_px, height_px: findings.height_px }],
        solid: [],
      }
  }
}

/** The plate boxes that count: each within `plateLimits`, all within 32 boxes and 35 % of the picture; else none. */
export function countedPlates(findings: Findings): readonly Box[] {
  return counted(findings.plates, plateLimits, findings)
}

/** The face boxes that count, as for plates. None while no face finder has looked. */
export function countedFaces(findings: Findings): readonly Box[] {
  return counted(findings.faces ?? [], faceLimits, findings)
}

function counted(boxes: readonly Box[], limits: readonly Limit[], findings: Findings): readonly Box[] {
  if (boxes.length > maxBoxes) return []
  const fit = boxes.filter(box => limits.every(limit => limit.holds(box, findings)))
  return shareOf(fit, findings) <= maxSharePerKind ? fit : []
}

/**
 * Until a face finder has looked, what lies around a plate may be a face: the bare plate stays. So does one that lies as
 * high as a face: a vehicle's plate is below its people, and what a reader calls a plate beside them shows nothing around it.
 */
function grownPlates(findings: Findings, region: Region): readonly Box[] {
  const plates = countedPlates(findings)
  const { faces } = findings
  if (faces === null) return plates
  const people = [...faces, ...findings.doubted.faces]
  const grownBy = (times: number) =>
    clipped(
      plates.map(plate => (people.every(face => isBelow(plate, face)) ? grow(plate, times) : plate)),
      findings,
    )
  let grown = grownBy(1)
  if (shareOf(grown, findings) > maxShareGrown) return plates
  if (region === "close") return grown
  for (let times = 1.25; times <= widestBy && shown_px(grown) < wide_px; times += 0.25) {
    const wider = grownBy(times)
    if (shareOf(wider, findings) > maxShareGrown) break
    grown = wider
  }
  return grown
}

function isBelow(plate: Box, face: Box): boolean {
  return plate.y_px >= face.y_px + face.height_px
}

/** @param times  as far to the sides and down as close; up lies the windscreen. */
function grow({ x_px, y_px, width_px, height_px }: Box, times: number): Box {
  return {
    x_px: x_px - times * growth.sides * width_px,
    y_px: y_px - growth.up * height_px,
    width_px: width_px * (1 + 2 * times * growth.sides),
    height_px: height_px * (1 + growth.up + times * growth.down),
  }
}

/** The parts of `boxes` inside the picture, on whole pixels outward. Hiding too much is right, too little never. */
function clipped(boxes: readonly Box[], { width_px, height_px }: Findings): readonly Box[] {
  return boxes.flatMap(box => {
    const left = Math.max(0, Math.floor(box.x_px))
    const top = Math.max(0, Math.floor(box.y_px))
    const right = Math.min(width_px, Math.ceil(box.x_px + box.width_px))
    const bottom = Math.min(height_px, Math.ceil(box.y_px + box.height_px))
    if (!(left < right && top < bottom)) return []
    return [{ x_px: left, y_px: top, width_px: right - left, height_px: bottom - top }]
  })
}

function area(box: Box): number {
  return box.width_px * box.height_px
}

/** An upper bound: overlaps count twice. */
function shown_px(boxes: readonly Box[]): number {
  return boxes.reduce((sum, box) => sum + area(box), 0)
}

function shareOf(boxes: readonly Box[], { width_px, height_px }: Findings): number {
  return shown_px(boxes) / (width_px * height_px)
}
