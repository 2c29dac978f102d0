import sharp, { type Sharp } from "sharp"
import { chanceOf, type Chance } from "../src/drawing/chance.ts"
import type { Pixels } from "../src/picture/pixels.ts"

/** What happens to a copy between the one who received it and where it is found. */
export type Attack = (copy: Pixels, seed: string) => Promise<Uint8Array>

export function raw({ rgb, width_px, height_px }: Pixels): Sharp {
  return sharp(rgb, { raw: { width: width_px, height: height_px, channels: 3 } })
}

export async function pixelsOf(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .flatten({ background: "#808080" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true })
  if (info.channels === 3) return { rgb: data, width_px: info.width, height_px: info.height }
  const rgb = new Uint8Array(info.width * info.height * 3)
  // What was composited is flattened before, and opaque; grey has one channel, or two.
  for (let i = 0, at = 0; i < rgb.length; i += 3, at += info.channels)
    for (let n = 0; n < 3; n += 1) rgb[i + n] = data[at + (info.channels === 4 ? n : 0)]!
  return { rgb, width_px: info.width, height_px: info.height }
}

const png = (image: Sharp): Promise<Uint8Array> => image.png({ compressionLevel: 1 }).toBuffer()
const jpeg = (image: Sharp, quality: number): Promise<Uint8Array> => image.jpeg({ quality }).toBuffer()

function resize(pixels: Pixels, scale: number, kernel: "lanczos3" | "cubic" = "lanczos3"): Sharp {
  const [width, height] = [pixels.width_px * scale, pixels.height_px * scale].map(side =>
    Math.max(1, Math.round(side)),
  )
  return raw(pixels).resize(width, height, { fit: "fill", kernel })
}

/** The middle, of that share of the area, a little off so that no grid fits. */
function crop(pixels: Pixels, share: number): Sharp {
  const [width, height] = [pixels.width_px, pixels.height_px].map(side =>
    Math.max(8, Math.floor(side * Math.sqrt(share))),
  ) as [number, number]
  const left = Math.floor((pixels.width_px - width) * 0.47)
  const top = Math.floor((pixels.height_px - height) * 0.56)
  return raw(pixels).extract({ left, top, width, height })
}

/** Turned, with the largest upright part that has no corner of the background. */
async function turned(pixels: Pixels, degrees: number): Promise<Pixels> {
  const { width_px: w, height_px: h } = pixels
  const around = await pixelsOf(raw(pixels).rotate(degrees, { background: "#202428" }))
  const [s, c] = [
    Math.abs(Math.sin((degrees * Math.PI) / 180)),
    Math.abs(Math.cos((degrees * Math.PI) / 180)),
  ]
  const factor = Math.min(w / (w * c + h * s), h / (w * s + h * c))
  const [width, height] = [Math.floor(w * factor), Math.floor(h * factor)]
  const [left, top] = [(around.width_px - width) >> 1, (around.height_px - height) >> 1]
  return pixelsOf(raw(around).extract({ left, top, width, height }))
}

function each(pixels: Pixels, of: (value: number, at: number) => number): Pixels {
  const rgb = new Uint8Array(pixels.rgb.length)
  for (let i = 0; i < rgb.length; i += 1)
    rgb[i] = Math.max(0, Math.min(255, Math.round(of(pixels.rgb[i]!, i))))
  return { ...pixels, rgb }
}

function noisy(pixels: Pixels, sigma: number, seed: string): Pixels {
  const chance = chanceOf("noise", seed, sigma)
  return each(pixels, value => value + sigma * normal(chance))
}

/** A draw of the standard normal distribution, nearly: the sum of twelve. */
function normal(chance: Chance): number {
  let sum = -6
  for (let i = 0; i < 12; i += 1) sum += chance.between(0, 1)
  return sum
}

/** Bars of text-like strokes over a fifth of the picture. */
async function overlaid(pixels: Pixels): Promise<Pixels> {
  const { width_px: w, height_px: h } = pixels
  const bar = Math.round(h * 0.1)
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}">
    <rect x="0" y="${Math.round(h * 0.3)}" width="${w}" height="${bar}" fill="#e8e8e8"/>
    <rect x="0" y="${Math.round(h * 0.7)}" width="${w}" height="${bar}" fill="#101010"/>
    <g stroke="#c01818" stroke-width="${Math.max(2, bar / 8)}">${Array.from({ length: 24 }, (_, i) => {
      const x = Math.round((w * (i + 0.5)) / 24)
      return `<path d="M${x} ${h * 0.32} l${bar / 3} ${bar * 0.6}"/>`
    }).join("")}</g></svg>`
  return pixelsOf(raw(pixels).composite([{ input: Buffer.from(svg) }]))
}

/** Shown in a window on a desktop, and the screen saved. */
async function screenshot(pixels: Pixels, scale = 0.8): Promise<Pixels> {
  const shown = await pixelsOf(resize(pixels, scale, "cubic"))
  const [w, h] = [shown.width_px + 130, shown.height_px + 170]
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}">
    <rect width="${w}" height="${h}" fill="#2b5a8c"/><rect x="20" y="20" width="${w - 40}" height="${h - 60}" fill="#f4f4f4"/>
    <rect x="20" y="20" width="${w - 40}" height="44" fill="#3c3f46"/><circle cx="44" cy="42" r="8" fill="#e05a4a"/>
    <g fill="#888">${Array.from({ length: 9 }, (_, i) => `<rect x="${30 + i * 60}" y="${h - 32}" width="40" height="18"/>`).join("")}</g></svg>`
  return pixelsOf(
    sharp(Buffer.from(svg)).composite([
      {
        input: Buffer.from(shown.rgb),
        raw: { width: shown.width_px, height: shown.height_px, channels: 3 },
        left: 64,
        top: 76,
      },
    ]),
  )
}

/** A photograph of a screen: seen from the side, through a lens, with glare, noise and a slight blur. */
function photographed(pixels: Pixels, hard: number, seed: string): Pixels {
  const { width_px: w, height_px: h, rgb } = pixels
  const chance = chanceOf("photograph", seed)
  const tilt = (0.05 + 0.04 * hard) * (chance.happens(0.5) ? 1 : -1)
  const [sin, cos] = [Math.sin(0.035 * hard), Math.cos(0.035 * hard)]
  const bend = 0.02 * hard
  const result = new Uint8Array(rgb.length)
  for (let y = 0; y < h; y += 1) {
    for (let x = 0; x < w; x += 1) {
      const [u, v] = [(2 * (x + 0.5)) / w - 1, (2 * (y + 0.5)) / h - 1]
      const radius = u * u + v * v
      const [p, q] = [u * (1 + bend * radius), v * (1 + bend * radius)]
      const depth = 1 + tilt * p + 0.3 * tilt * q
      const [a, b] = [(0.94 * (cos * p - sin * q)) / depth, (0.94 * (sin * p + cos * q)) / depth]
      const [sx, sy] = [((a + 1) * w) / 2 - 0.5, ((b + 1) * h) / 2 - 0.5]
      const [cx, cy] = [Math.floor(sx), Math.floor(sy)]
      const [s, t] = [sx - cx, sy - cy]
      const light = 0.92 + 0.12 * (u + v) * 0.5
      for (let c = 0; c < 3; c += 1) {
        const at = (i: number, j: number) =>
          rgb[3 * (Math.max(0, Math.min(h - 1, cy + j)) * w + Math.max(0, Math.min(w - 1, cx + i))) + c]!
        const value = (1 - t) * ((1 - s) * at(0, 0) + s * at(1, 0)) + t * ((1 - s) * at(0, 1) + s * at(1, 1))
        const moire = 3 * hard * Math.sin(x * 0.9 + y * 0.13)
        result[3 * (y * w + x) + c] = Math.max(
          0,
          Math.min(255, value * light + moire + 4 * normal(chance) + 6),
        )
      }
    }
  }
  return { rgb: result, width_px: w, height_px: h }
}

async function combined(pixels: Pixels): Promise<Uint8Array> {
  const turnedOne = await turned(pixels, 3)
  const cut = await pixelsOf(crop(turnedOne, 0.6))
  const small = await pixelsOf(resize(cut, 0.6))
  return jpeg(raw(small).modulate({ brightness: 1.08, saturation: 1.2 }), 50)
}

async function gauntlet(pixels: Pixels, scale: number): Promise<Uint8Array> {
  const cut = await pixelsOf(crop(await turned(pixels, 5), 0.5))
  return jpeg(resize(cut, scale), 30)
}

export const attacks: Readonly<Record<string, Attack>> = {
  none: copy => png(raw(copy)),
  "JPEG 90": copy => jpeg(raw(copy), 90),
  "JPEG 70": copy => jpeg(raw(copy), 70),
  "JPEG 50": copy => jpeg(raw(copy), 50),
  "JPEG 30": copy => jpeg(raw(copy), 30),
  "JPEG 15": copy => jpeg(raw(copy), 15),
  "WebP 60": copy => raw(copy).webp({ quality: 60 }).toBuffer(),
  "WebP 30": copy => raw(copy).webp({ quality: 30 }).toBuffer(),
  "AVIF 50": copy => raw(copy).avif({ quality: 50, effort: 2 }).toBuffer(),
  "AVIF 30": copy => raw(copy).avif({ quality: 30, effort: 2 }).toBuffer(),
  "scale 0.75": copy => png(resize(copy, 0.75)),
  "scale 0.5": copy => png(resize(copy, 0.5)),
  "scale 0.33": copy => png(resize(copy, 0.33)),
  "scale 0.25": copy => png(resize(copy, 0.25)),
  "scale 1.5": copy => png(resize(copy, 1.5)),
  "0.5 and back": async copy => png(resize(await pixelsOf(resize(copy, 0.5)), 2)),
  "0.25 and back": async copy => png(resize(await pixelsOf(resize(copy, 0.25)), 4)),
  "squeezed 0.9 × 1": copy =>
    png(raw(copy).resize(Math.round(copy.width_px * 0.9), copy.height_px, { fit: "fill" })),
  "crop 75 %": copy => png(crop(copy, 0.75)),
  "crop 50 %": copy => png(crop(copy, 0.5)),
  "crop 25 %": copy => png(crop(copy, 0.25)),
  "crop 10 %": copy => png(crop(copy, 0.1)),
  "turned 1°": async copy => png(raw(await turned(copy, 1))),
  "turned 5°": async copy => png(raw(await turned(copy, 5))),
  "turned 15°": async copy => png(raw(await turned(copy, 15))),
  "turned 5°, whole": copy => png(raw(copy).rotate(5, { background: "#202428" })),
  "turned 90°": copy => png(raw(copy).rotate(90)),
  mirror: copy => png(raw(copy).flop()),
  "mirror, JPEG 50": copy => jpeg(raw(copy).flop(), 50),
  grey: copy => png(raw(copy).greyscale()),
  colour: copy => png(raw(copy).modulate({ saturation: 1.4, hue: 25 })),
  "gamma 1.4": copy => png(raw(each(copy, value => 255 * (value / 255) ** (1 / 1.4)))),
  "contrast 1.3": copy => png(raw(each(copy, value => 128 + 1.3 * (value - 128)))),
  darker: copy => png(raw(each(copy, value => 0.6 * value))),
  "blur σ 1": copy => png(raw(copy).blur(1)),
  "blur σ 2": copy => png(raw(copy).blur(2)),
  sharpened: copy => png(raw(copy).sharpen({ sigma: 1.5 })),
  "noise σ 10": (copy, seed) => png(raw(noisy(copy, 10, seed))),
  "noise σ 20": (copy, seed) => png(raw(noisy(copy, 20, seed))),
  "median 3": copy => png(raw(copy).median(3)),
  "median 5": copy => png(raw(copy).median(5)),
  "overlay 20 %": async copy => jpeg(raw(await overlaid(copy)), 85),
  screenshot: async copy => png(raw(await screenshot(copy))),
  "social 640": async copy =>
    jpeg(resize(copy, Math.min(1, 640 / Math.max(copy.width_px, copy.height_px))), 60),
  "JPEG twice": async copy => {
    const once = await pixelsOf(sharp(await jpeg(raw(copy), 70)))
    return jpeg(
      raw(once).extract({ left: 3, top: 5, width: once.width_px - 3, height: once.height_px - 5 }),
      50,
    )
  },
  "JPEG 50, scale 0.5": copy => jpeg(resize(copy, 0.5), 50),
  photographed: async (copy, seed) => jpeg(raw(photographed(copy, 1, seed)), 80),
  "photographed, hard": async (copy, seed) => jpeg(raw(photographed(copy, 2, seed)).blur(1), 60),
  combined,
  "gauntlet at half size": copy => gauntlet(copy, 0.5),
  gauntlet: copy => gauntlet(copy, 0.25),
}
