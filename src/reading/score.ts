import { merged } from "./plate-vote.ts"
import type { Box } from "../picture/level.ts"

/** What is known of a picture's plate. */
export interface Truth {
  /** The rows of the table: a region, a lane, a day. */
  readonly group: string
  readonly plate: string
  readonly box: Box
}

/** What was read of it. */
export interface Answer {
  readonly state: "read" | "unsure" | "unread"
  /** The first candidate's text; empty without one. */
  readonly text: string
  readonly box: Box | null
  readonly cpu_ms: number
}

/** How often of how many, with the 95 % interval of Wilson 1927 (equation without continuity correction). */
export interface Rate {
  readonly count: number
  readonly of: number
  readonly low: number
  readonly high: number
}

export interface Score {
  readonly group: string
  readonly n: number
  /** Boxes whose middle lies in the plate, at least half as wide. */
  readonly found: Rate
  /** The first candidate is the plate, to the letter, and with O and Q as 0 and I as 1. */
  readonly strict: Rate
  readonly merged: Rate
  /** State `read`, and how many of those are the plate, merged. */
  readonly answered: Rate
  readonly rightWhenSure: Rate
  readonly meanCpu_ms: number
}

/** One score for each group, in the order in which they first come, and one of all where there are several. */
export function scoresOf(pairs: readonly (readonly [Truth, Answer])[]): Score[] {
  const groups = [...new Set(pairs.map(([{ group }]) => group))]
  const each = groups.map(group =>
    scoreOf(
      group,
      pairs.filter(([truth]) => truth.group === group),
    ),
  )
  return groups.length < 2 ? each : [...each, scoreOf("all", pairs)]
}

function scoreOf(group: string, pairs: readonly (readonly [Truth, Answer])[]): Score {
  const n = pairs.length
  const count = (holds: (truth: Truth, answer: Answer) => boolean) =>
    pairs.filter(([truth, answer]) => holds(truth, answer)).length
  const isRight = (truth: Truth, answer: Answer) => merged(answer.text) === merged(plainText(truth.plate))
  const answered = count((_, answer) => answer.state === "read")
  return {
    group,
    n,
    found: rateOf(
      count((truth, answer) => lies(answer.box, truth.box)),
      n,
    ),
    strict: rateOf(
      count((truth, answer) => answer.text === plainText(truth.plate)),
      n,
    ),
    merged: rateOf(count(isRight), n),
    answered: rateOf(answered, n),
    rightWhenSure: rateOf(
      count((truth, answer) => answer.state === "read" && isRight(truth, answer)),
      answered,
    ),
    meanCpu_ms: pairs.reduce((sum, [, answer]) => sum + answer.cpu_ms, 0) / n,
  }
}

/** A plate's letters and digits. */
function plainText(plate: string): string {
  return plate.toUpperCase().replace(/[^A-Z0-9]/g, "")
}

function lies(box: Box | null, plate: Box): boolean {
  if (box === null) return false
  const [x, y] = [box.x_px + box.width_px / 2 - plate.x_px, box.y_px + box.height_px / 2 - plate.y_px]
  return x > 0 && x < plate.width_px && y > 0 && y < plate.height_px && box.width_px > plate.width_px / 2
}

export function rateOf(count: number, of: number): Rate {
  if (of === 0) return { count, of, low: 0, high: 1 }
  const z = 1.959964
  const share = count / of
  const middle = share + (z * z) / (2 * of)
  const half = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of))
  const whole = 1 + (z * z) / of
  return { count, of, low: Math.max(0, (middle - half) / whole), high: Math.min(1, (middle + half) / whole) }
}
