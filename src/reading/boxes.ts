import type { Box } from "../seal/contents.ts"
import type { Doubt } from "../seal/read.ts"
import type { Told } from "./told.ts"

/** Four numbers as told, in whatever unit the reader counts; a box without area is none. */
export interface Raw {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Size {
  readonly width_px: number
  readonly height_px: number
}

/** What a reader's numbers count: pixels, or shares of a whole for either side, such as 1, 1,000 or 8,192. */
export interface Scale {
  readonly counts: "pixels" | "unknown" | number
  /** The size of the frame that the reader saw, when told. */
  readonly frame: Size | null
}

/** Pixels of a frame whose size is not told. */
export const pixels: Scale = { counts: "pixels", frame: null }

export interface Placed {
  readonly box: Box | null
  readonly doubts: readonly Doubt[]
}

const maxSide_px = 65_535

/** A box by its left, top, right and bottom. @throws Fault READER_EVENT for a side that is no number. */
export function cornersAt(told: Told, places: readonly string[]): Raw | null {
  const [left = 0, top = 0, right = 0, bottom = 0] = told.numbers(places) ?? []
  return drawn({ x: left, y: top, width: right - left, height: bottom - top })
}

/** A box by its left, top, width and height. @throws Fault READER_EVENT for one that is no number. */
export function sidesAt(told: Told, places: readonly string[]): Raw | null {
  const [x = 0, y = 0, width = 0, height = 0] = told.numbers(places) ?? []
  return drawn({ x, y, width, height })
}

/** The upright box around points `{x, y}`, at most 16. @throws Fault READER_EVENT for a coordinate that is no number. */
export function pointsAt(told: Told, at: string): Raw | null {
  const points = told
    .items(at)
    .slice(0, 16)
    .flatMap(point => {
      const [x, y] = told.numbers([`${point}/x`, `${point}/y`]) ?? []
      return x === undefined || y === undefined ? [] : [{ x, y }]
    })
  if (points.length === 0) return null
  const xs = points.map(({ x }) => x)
  const ys = points.map(({ y }) => y)
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return drawn({ x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y })
}

/** The four places of a list's numbers. */
export function four(at: string): string[] {
  return [0, 1, 2, 3].map(i => `${at}/${i}`)
}

function drawn(raw: Raw): Raw | null {
  return raw.width === 0 || raw.height === 0 ? null : raw
}

/**
 * A box in whole pixels of the scene, cut at its edges.
 * @param scene  the scene's size, or `null` when no scene came: then pixels are those of the frame that the reader saw, and
 * shares cannot be placed.
 * @returns no box, with a doubt, for one turned inside out, outside of the picture, or of an unknown scale.
 */
export function placed(raw: Raw | null, scale: Scale, scene: Size | null): Placed {
  if (raw === null) return { box: null, doubts: [] }
  const [across, down] = factorsOf(scale, scene) ?? [0, 0]
  const bounds = boundsOf(scene ?? scale.frame)
  const left = Math.floor(raw.x * across)
  const top = Math.floor(raw.y * down)
  const right = Math.ceil((raw.x + raw.width) * across)
  const bottom = Math.ceil((raw.y + raw.height) * down)
  const x_px = Math.max(0, left)
  const y_px = Math.max(0, top)
  const width_px = Math.min(right, bounds.width_px) - x_px
  const height_px = Math.min(bottom, bounds.height_px) - y_px
  if (!(raw.width > 0 && raw.height > 0 && width_px > 0 && height_px > 0))
    return { box: null, doubts: ["box-left-out"] }
  const isWhole = left >= 0 && top >= 0 && right <= bounds.width_px && bottom <= bounds.height_px
  return { box: { x_px, y_px, width_px, height_px }, doubts: isWhole ? [] : ["box-clipped"] }
}

/** Frames are told, so they can be of any size; what is sealed has whole pixels, at most 65,535 a side. */
function boundsOf(size: Size | null): Size {
  const side = (told_px: number) => Math.min(maxSide_px, Math.floor(told_px))
  return { width_px: side(size?.width_px ?? maxSide_px), height_px: side(size?.height_px ?? maxSide_px) }
}

/** How much larger the scene is than what the reader counts in; `null` when that cannot be told. */
function factorsOf({ counts, frame }: Scale, scene: Size | null): readonly [number, number] | null {
  if (counts === "unknown") return null
  if (counts !== "pixels") {
    const whole = scene ?? frame
    return whole === null ? null : [whole.width_px / counts, whole.height_px / counts]
  }
  if (frame === null || scene === null) return [1, 1]
  const [across, down] = [scene.width_px / frame.width_px, scene.height_px / frame.height_px]
  // A scene of another shape than the frame was cut, not shrunk: nobody can tell where from.
  return Math.abs(across / down - 1) < 0.02 ? [across, down] : null
}
