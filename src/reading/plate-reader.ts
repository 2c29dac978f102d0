import type { Box } from "../picture/level.ts"
import type { Pixels } from "../picture/pixels.ts"
import { agreedBox, type Networks } from "./agreement.ts"
import { likeliestTexts } from "./ctc.ts"
import { modelFiles } from "./model-file.ts"
import { isReadable, joined, plateLikeness, sameLine, type Line } from "./plate-candidates.ts"
import { confidenceOf, isSure, isWorthSaying } from "./plate-confidence.ts"
import type { PlateRegion } from "./plate-syntax.ts"
import { evidenceOf, vote, type Candidate } from "./plate-vote.ts"
import { boxAround, changed, heightOf, widthOf, type Region } from "./region.ts"
import { readLine, rereadings } from "./rereading.ts"
import { openTextDetector } from "./text-detector.ts"
import { openTextRecogniser } from "./text-recogniser.ts"

/** What the built-in reader says of a picture. */
export interface PlateReading {
  /** `read`: it is sure. `unsure`: it saw a plate, and the text is probably among the candidates. `unread`: neither. */
  readonly state: "read" | "unsure" | "unread"
  /** The text, when read: A to Z and 0 to 9. */
  readonly plate: string | null
  /** Of the first candidate: how often such an answer is right, O and Q taken as 0 and I as 1. 0 when unread. */
  readonly confidence: number
  /** At most five, likeliest first. */
  readonly candidates: readonly { readonly text: string; readonly confidence: number }[]
  /** Where the plate is; may be there for a plate that is not read. */
  readonly box: Box | null
  /** What the first reading said before voting and syntax. */
  readonly raw: string | null
}

export interface PlateReader {
  /** Name and SHA-256 of the models, to be stored with what they read. */
  readonly model: string
  /** One plate of a picture: the likeliest. */
  read(pixels: Pixels, region: PlateRegion): Promise<PlateReading>
  /** A plate where somebody claims one, as far as there is text in it, or `null`: see `agreedBox`. */
  agree(pixels: Pixels, claim: Box): Promise<Box | null>
}

/**
 * The built-in reader for plain cameras: a text detector and a text recogniser (PP-OCRv4), two looks, five readings that
 * vote, and the syntax of the region's plates. What it can and cannot: docs/reader.md. Holds about 300 MB.
 * @throws Fault MODEL
 */
export async function openPlateReader(): Promise<PlateReader> {
  const networks = { detector: await openTextDetector(), recogniser: await openTextRecogniser() }
  const { textDetector, textRecogniser } = modelFiles
  return {
    model: `pp-ocr-v4 sha256:${textDetector.sha256} sha256:${textRecogniser.sha256}`,
    read: (pixels, region) => read(networks, pixels, region),
    agree: (pixels, claim) => agreedBox(networks, pixels, claim),
  }
}

const settings = {
  /** The longer side of the picture in the first look: at 736 the detector loses 6 of 90 American plates (measured). */
  firstLook_px: 960,
  /** How wide the plate is in the second look. */
  secondLook_px: 192,
  /** Lines read in the first look, and looked at again. */
  linesRead: 10,
  linesJoined: 4,
  linesTried: 2,
  /** The first line is a plate's in 192 of 193 photographs; only below this confidence is the next one tried. */
  enough: 0.15,
  candidates: 5,
} as const

const unread: PlateReading = {
  state: "unread",
  plate: null,
  confidence: 0,
  candidates: [],
  box: null,
  raw: null,
}

async function read(networks: Networks, pixels: Pixels, region: PlateRegion): Promise<PlateReading> {
  const lines = await firstLook(networks, pixels)
  let best = unread
  for (const line of lines.slice(0, settings.linesTried)) {
    const reading = await secondLook(networks, pixels, { line, region })
    if (best === unread || reading.confidence > best.confidence) best = reading
    if (best.confidence >= settings.enough) break
  }
  return best
}

/** The lines of text of the whole picture, the likeliest plate first. */
async function firstLook({ detector, recogniser }: Networks, pixels: Pixels): Promise<Line[]> {
  const whole = { x_px: 0, y_px: 0, width_px: pixels.width_px, height_px: pixels.height_px }
  const found = await detector.find(pixels, whole, settings.firstLook_px)
  const single = found
    .map(({ region }) => region)
    .filter(isReadable)
    .sort((a, b) => heightOf(b) - heightOf(a))
    .slice(0, settings.linesRead)
  const lines: Line[] = []
  for (const region of [...single, ...joined(single).slice(0, settings.linesJoined)]) {
    const odds = await readLine(recogniser, pixels, region)
    const [text] = likeliestTexts(odds, 2)
    if (text !== undefined) lines.push({ region, odds, text, isJoined: !single.includes(region) })
  }
  return lines.sort((a, b) => plateLikeness(b, pixels) - plateLikeness(a, pixels))
}

/** Looks at one line again, enlarged, reads it four times more, and lets the readings vote. */
async function secondLook(
  { detector, recogniser }: Networks,
  pixels: Pixels,
  { line, region }: { readonly line: Line; readonly region: PlateRegion },
): Promise<PlateReading> {
  const part = boxAround(changed(line.region, { wider: 1.2, higher: 2 }), pixels)
  if (part === null) return unread
  const longest_px = (settings.secondLook_px * part.width_px) / widthOf(line.region)
  const seen = await detector.find(pixels, part, Math.max(128, Math.min(640, Math.round(longest_px))))
  const again =
    sameLine(
      line.region,
      seen.map(({ region }) => region),
    ) ?? line.region
  const readings = [line.odds]
  for (const rereading of rereadings) {
    readings.push(
      await readLine(recogniser, pixels, rereading.of === "first" ? line.region : again, rereading),
    )
  }
  return readingOf(vote(readings, region), { region, raw: line.text.text, box: plateBox(again, pixels) })
}

/** A plate is a little larger than its text. */
function plateBox(text: Region, pixels: Pixels): Box | null {
  return boxAround(changed(text, { wider: 0.06, higher: 0.12 }), pixels)
}

function readingOf(
  candidates: readonly Candidate[],
  { region, raw, box }: { readonly region: PlateRegion; readonly raw: string; readonly box: Box | null },
): PlateReading {
  const [best, ...others] = candidates
  if (best === undefined || box === null) return { ...unread, box, raw }
  const confidence = confidenceOf(evidenceOf([best, ...others], region))
  const shown = others.slice(0, settings.candidates - 1)
  const weights = shown.map(({ score }) => Math.exp(score - best.score))
  const whole = weights.reduce((sum, weight) => sum + weight, 0) || 1
  const state = isSure(confidence) ? "read" : isWorthSaying(confidence) ? "unsure" : "unread"
  return {
    state,
    plate: state === "read" ? best.text : null,
    confidence: rounded(confidence),
    candidates: [
      { text: best.text, confidence: rounded(confidence) },
      ...shown.map(({ text }, i) => ({
        text,
        confidence: rounded(((1 - confidence) * (weights[i] ?? 0)) / whole),
      })),
    ],
    box,
    raw,
  }
}

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000
}
