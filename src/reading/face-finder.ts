import type { Box } from "../picture/level.ts"
import type { Pixels } from "../picture/pixels.ts"
import { readOwnModel } from "./model-file.ts"
import { resized, type Size } from "./sampling.ts"
import { openTinyFace } from "./tiny-face.ts"
import { openYunet } from "./yunet.ts"

/** A face where a network sees one, in the pixels of what it was shown; parts may lie outside. */
export interface FaceGuess {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  /** 0 to 1. */
  readonly score: number
}

/** A network that finds faces in a picture of its own step: sides are multiples of 32 pixels. */
export interface FaceNetwork {
  /** Name and SHA-256 of the model, to be stored with what it found. */
  readonly model: string
  /** The longer sides of a picture that it is shown at, where its recall at its cost is best. */
  readonly looks_px: readonly number[]
  /** The least score of a guess that counts, chosen for recall. */
  readonly least: number
  guess(shown: Pixels, least: number): Promise<FaceGuess[]>
}

export interface FoundFace {
  /** Whole pixels inside the picture. */
  readonly box: Box
  readonly score: number
}

export interface FaceFinder {
  readonly model: string
  /**
   * The faces of a picture, surest first, at most `most`. Whoever relies on it for redaction relies on recall: it looks
   * at two sizes and takes guesses of low scores, so about one box in six of a lane's picture holds no face.
   */
  find(pixels: Pixels): Promise<FoundFace[]>
}

const settings = {
  /** Two boxes with more of their union in common are one face. */
  overlap: 0.4,
  most: 32,
} as const

/**
 * @param ownModel  path of an operator's ONNX file in the format of YuNet, or `null` for the tiny face detector that is
 * installed with this program.
 * @throws Fault MODEL
 */
export async function openFaceFinder(ownModel: string | null): Promise<FaceFinder> {
  const network = ownModel === null ? await openTinyFace() : await openYunet(await readOwnModel(ownModel))
  return { model: network.model, find: pixels => find(network, pixels) }
}

async function find(network: FaceNetwork, pixels: Pixels): Promise<FoundFace[]> {
  const guesses: FaceGuess[] = []
  for (const look_px of network.looks_px) {
    const shown = await resized(pixels, { x_px: 0, y_px: 0, ...sizeOf(pixels) }, shownSize(pixels, look_px))
    const [across, down] = [pixels.width_px / shown.width_px, pixels.height_px / shown.height_px]
    for (const { left, top, right, bottom, score } of await network.guess(shown, network.least)) {
      guesses.push({
        left: left * across,
        top: top * down,
        right: right * across,
        bottom: bottom * down,
        score,
      })
    }
  }
  return distinct(guesses, settings.overlap).flatMap(guess => {
    const box = wholeBox(guess, pixels)
    return box === null ? [] : [{ box, score: guess.score }]
  })
}

function sizeOf({ width_px, height_px }: Size): Size {
  return { width_px, height_px }
}

const step_px = 32

/** @param longest_px  the longer side as shown; a picture is enlarged at most twice. */
function shownSize({ width_px, height_px }: Size, longest_px: number): Size {
  const longer_px = Math.max(width_px, height_px)
  const scale = Math.min(longest_px, 2 * longer_px) / longer_px
  const rounded = (side_px: number) => Math.max(step_px, Math.round((side_px * scale) / step_px) * step_px)
  return { width_px: rounded(width_px), height_px: rounded(height_px) }
}

/** The guesses without those that a surer one covers: non-maximum suppression. Quadratic in the guesses. */
export function distinct(guesses: readonly FaceGuess[], overlap: number): FaceGuess[] {
  const kept: FaceGuess[] = []
  for (const guess of [...guesses].sort((a, b) => b.score - a.score)) {
    if (kept.length === settings.most) break
    if (kept.every(other => shared(guess, other) <= overlap)) kept.push(guess)
  }
  return kept
}

/** The share of two boxes' union that both cover. */
function shared(a: FaceGuess, b: FaceGuess): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  if (width <= 0 || height <= 0) return 0
  return (width * height) / (area(a) + area(b) - width * height)
}

function area({ left, top, right, bottom }: FaceGuess): number {
  return (right - left) * (bottom - top)
}

function wholeBox(guess: FaceGuess, { width_px, height_px }: Size): Box | null {
  const left = Math.max(0, Math.floor(guess.left))
  const top = Math.max(0, Math.floor(guess.top))
  const right = Math.min(width_px, Math.ceil(guess.right))
  const bottom = Math.min(height_px, Math.ceil(guess.bottom))
  if (left >= right || top >= bottom) return null
  return { x_px: left, y_px: top, width_px: right - left, height_px: bottom - top }
}
