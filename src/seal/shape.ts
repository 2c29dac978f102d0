/** Checks of plain data that comes out of a sealed body: what a lane wrote is a stranger's bytes until it has its shape. */

export interface Box {
  readonly x_px: number
  readonly y_px: number
  readonly width_px: number
  readonly height_px: number
}

type Holds = (value: unknown) => boolean

/** The longest side of a picture. */
export const maxSide_px = 65_535

const sides = ["x_px", "y_px", "width_px", "height_px"]

/** Four whole numbers of pixels, 0 to 65,535. */
export function isBox(value: unknown): value is Box {
  return hasKeys(value, sides) && sides.every(side => isWhole(value[side], maxSide_px))
}

/** A whole number of 0 to `most`. */
export function isWhole(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}

/** A text of at most `most` UTF-16 code units. */
export function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length <= most
}

/** A list of at most `most` items that all hold. */
export function isListOf(value: unknown, most: number, holds: Holds): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= most && value.every(holds)
}

/** `null`, or what holds. */
export function isNullOr(value: unknown, holds: Holds): boolean {
  return value === null || holds(value)
}

/** A plain object with exactly these keys of its own. */
export function hasKeys(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const held = Object.keys(value)
  return held.length === keys.length && keys.every(key => Object.hasOwn(value, key))
}

/** A plain object with exactly the keys of `shape`, each of which holds. */
export function hasShape(value: unknown, shape: Readonly<Record<string, Holds>>): boolean {
  const keys = Object.keys(shape)
  return hasKeys(value, keys) && keys.every(key => shape[key]?.(value[key]) === true)
}
