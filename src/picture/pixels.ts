import sharp, { type Sharp } from "sharp"
import { assert, Fault } from "../fault.ts"
import type { Extent, Level, Region } from "../grant/level.ts"
import { biasesOf, chipsOf } from "../mark/code.ts"
import { embed } from "../mark/embed.ts"
import type { MarkKeys } from "../mark/keys.ts"
import { gridOf } from "../mark/lapped.ts"
import { psnrFor, type MarkPolicy, type Strength } from "../mark/policy.ts"
import { runsOf, type Runs } from "../mark/runs.ts"
import { checkBytes, checkSize, pictureLimits, type Format } from "./format.ts"
import { labelled, type Label } from "./label.ts"
import { countedFaces, countedPlates, keptBoxes, undoubted, type Box, type Findings } from "./level.ts"

// One thread per picture and nothing remembered: throughput comes from several processes, and a cached picture is a
// plaintext that stays.
sharp.concurrency(1)
sharp.cache(false)

export interface Description {
  /** Of the oriented picture: EXIF orientation applied. */
  readonly width_px: number
  readonly height_px: number
  readonly format: Format
}

/** A redacted copy, free of any metadata. */
export interface Copy {
  readonly bytes: Uint8Array
  readonly mediaType: "image/png" | "image/jpeg"
  readonly width_px: number
  readonly height_px: number
  /** How strongly it is marked; `null` where no pixel of the picture is shown. */
  readonly mark: Strength | null
}

/** What a copy is marked with, for whom. The child that marks is given the keys of one image and one holder, never their source. */
export interface Marking {
  readonly keys: MarkKeys
  readonly policy: MarkPolicy
  /** Written over the copy for all to see: a reveal's name and time. */
  readonly label: Label | null
}

/** A decoded picture. */
export interface Pixels {
  /** Red, green, blue, 8 bits each, row by row. */
  readonly rgb: Uint8Array
  readonly width_px: number
  readonly height_px: number
}

type Colour = readonly [red: number, green: number, blue: number]

/** What is painted where nothing is kept; a silhouette paints plates and faces apart from it. */
export const colours = {
  solid: [128, 128, 128],
  plate: [240, 208, 96],
  face: [72, 112, 168],
} as const satisfies Record<string, Colour>

/**
 * Says what a picture is, and that it decodes to its last pixel: what is described here, `keepRegions` decodes.
 * @throws Fault PICTURE for what is no picture, is cut or corrupt, or has more than one page; PICTURE_SIZE over
 * `pictureLimits`, judged from the header.
 * Costs one decoding.
 */
export async function describe(picture: Uint8Array): Promise<Description> {
  const format = checkBytes(picture)
  const { width_px, height_px } = await decode(picture)
  return { width_px, height_px, format }
}

/**
 * The copy of a picture that shows what level and region show and is solid everywhere else, with all metadata left behind.
 * L1 to L3 give a PNG, in which a pixel outside the kept boxes is exactly solid; L4 a JPEG. What is kept carries the mark.
 * @param findings  `null` when nobody has looked: nothing is kept then but at L4.
 * @param marking  `null` only where no copy leaves.
 * @throws Fault INVALID at L0, which shows no picture, and when `findings` are of a picture of another size; PICTURE
 * and PICTURE_SIZE as `describe`.
 * Costs one decoding and one encoding, with 6 bytes of memory per pixel beside the codecs'.
 */
export async function keepRegions(
  picture: Uint8Array,
  { level, region }: Extent,
  findings: Findings | null,
  marking: Marking | null,
): Promise<Copy> {
  if (level === "L0") throw new Fault("INVALID", "level L0 is numbers only and has no picture")
  checkBytes(picture)
  const pixels = await decode(picture)
  const { width_px, height_px } = pixels
  if (findings !== null && (findings.width_px !== width_px || findings.height_px !== height_px)) {
    throw new Fault("INVALID", "the findings are of a picture of another size")
  }
  const found = findings ?? { width_px, height_px, plates: [], faces: null, doubted: undoubted }
  const shown = shownAt(level, found, region)
  const copy = level === "L4" ? pixels : level === "L1" ? silhouette(found) : redacted(pixels, shown)
  const mark = marking === null ? null : marked(pixels, copy, { ...marking, shown })
  const given = marking?.label == null ? copy : labelled(copy, marking.label)
  return { ...(await (level === "L4" ? encodeJpeg(given) : encodePng(given))), mark }
}

/** Writes the holder's codeword into what the copy shows. */
export function marked(
  original: Pixels,
  copy: Pixels,
  { keys, policy, shown }: Pick<Marking, "keys" | "policy"> & { readonly shown: Runs },
): Strength | null {
  if (shown.shown_px === 0) return null
  const biases = biasesOf(keys.biases, gridOf(original).count)
  const codeword = { biases, chips: chipsOf(keys.codeword, biases) }
  const psnr_db = psnrFor(shown.shown_px, policy)
  embed(original, copy, { codeword, shown, psnr_db })
  return { marked_px: shown.shown_px, psnr_db }
}

/** Every pixel from a colour of ours, none from the picture. */
function silhouette(found: Findings): Pixels {
  const canvas = solidCanvas(found)
  for (const box of countedPlates(found)) fill(canvas, box, colours.plate)
  for (const box of countedFaces(found)) fill(canvas, box, colours.face)
  return canvas
}

/** Redaction keeps, it does not hide: what no box names was never on the canvas. */
export function redacted(pixels: Pixels, { stretches }: Runs): Pixels {
  const canvas = solidCanvas(pixels)
  for (let i = 0; i < stretches.length; i += 3) {
    const row = (stretches[i] as number) * pixels.width_px
    const [start, end] = [row + (stretches[i + 1] as number), row + (stretches[i + 2] as number)]
    canvas.rgb.set(pixels.rgb.subarray(3 * start, 3 * end), 3 * start)
  }
  return canvas
}

/** What a level shows of a picture. */
export function shownAt(level: Level, found: Findings, region: Region = "close"): Runs {
  return runsOf(keptMask(level, found, region), found.width_px)
}

/** For each pixel 1 where a level shows it, else 0. */
function keptMask(level: Level, found: Findings, region: Region): Uint8Array {
  const { width_px, height_px } = found
  const mask = new Uint8Array(width_px * height_px)
  const { keep, solid } = keptBoxes(level, found, region)
  const fillBox = (box: Box, value: 0 | 1) => {
    for (const [start, end] of rowsOf(box, found)) mask.fill(value, start, end)
  }
  for (const box of keep) fillBox(box, 1)
  for (const box of solid) fillBox(box, 0)
  return mask
}

function solidCanvas({ width_px, height_px }: Pick<Pixels, "width_px" | "height_px">): Pixels {
  return { rgb: new Uint8Array(width_px * height_px * 3).fill(colours.solid[0]), width_px, height_px }
}

function fill(pixels: Pixels, box: Box, [red, green, blue]: Colour): void {
  for (const [start, end] of rowsOf(box, pixels)) {
    for (let at = 3 * start; at < 3 * end; at += 3) {
      pixels.rgb[at] = red
      pixels.rgb[at + 1] = green
      pixels.rgb[at + 2] = blue
    }
  }
}

/** The pixels at which each row of `box` starts and ends. */
function* rowsOf(
  box: Box,
  { width_px, height_px }: Pick<Pixels, "width_px" | "height_px">,
): Generator<[start: number, end: number]> {
  assert(
    box.x_px >= 0 &&
      box.y_px >= 0 &&
      box.x_px + box.width_px <= width_px &&
      box.y_px + box.height_px <= height_px,
    "a judged box lies inside its picture",
  )
  for (let y_px = box.y_px; y_px < box.y_px + box.height_px; y_px += 1) {
    const start = y_px * width_px + box.x_px
    yield [start, start + box.width_px]
  }
}

/**
 * Every pixel of a picture, oriented. What the file says beside pixels (EXIF, colour profile, comments) ends here.
 * @throws Fault as `describe`.
 */
export async function decode(picture: Uint8Array): Promise<Pixels> {
  const { data, info } = await decoding(async () => {
    const image = sharp(picture, {
      failOn: "error",
      limitInputPixels: pictureLimits.side_px ** 2,
      sequentialRead: true,
    })
    const header = await image.metadata()
    checkSize(header.width, header.height)
    if ((header.pages ?? 1) !== 1) throw new Fault("PICTURE", "the picture has more than one page")
    return image
      .autoOrient()
      .toColourspace("srgb")
      .flatten({ background: { r: colours.solid[0], g: colours.solid[1], b: colours.solid[2] } })
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true })
  })
  const rgb = info.channels === 3 ? data : tripled(data)
  assert(rgb.length === info.width * info.height * 3, "decoded pixels are three bytes each")
  return { rgb, width_px: info.width, height_px: info.height }
}

/** sRGB from one channel of grey. */
function tripled(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3)
  grey.forEach((value, i) => rgb.fill(value, 3 * i, 3 * i + 3))
  return rgb
}

/** The decoder's own words are left out: they may quote the file, whose text a vendor writes. */
async function decoding<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Fault) throw error
    const isOverLimit = error instanceof Error && error.message.includes("exceeds pixel limit")
    if (isOverLimit) throw new Fault("PICTURE_SIZE", "the picture has more pixels than the limit")
    throw new Fault("PICTURE", "the picture does not decode")
  }
}

/** Why PNG, and why this level: docs/decisions/0004-redacted-copies-are-png.md */
async function encodePng(pixels: Pixels): Promise<Omit<Copy, "mark">> {
  const bytes = await raw(pixels).png({ compressionLevel: 3, adaptiveFiltering: false }).toBuffer()
  return { bytes, mediaType: "image/png", width_px: pixels.width_px, height_px: pixels.height_px }
}

/** Full chroma and high quality, since a mark for the holder lives in what a codec would round away. */
async function encodeJpeg(pixels: Pixels): Promise<Omit<Copy, "mark">> {
  const bytes = await raw(pixels)
    .jpeg({ quality: 92, chromaSubsampling: "4:4:4", optimiseCoding: false })
    .toBuffer()
  return { bytes, mediaType: "image/jpeg", width_px: pixels.width_px, height_px: pixels.height_px }
}

function raw({ rgb, width_px, height_px }: Pixels): Sharp {
  return sharp(rgb, { raw: { width: width_px, height: height_px, channels: 3 } })
}
