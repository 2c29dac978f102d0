import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import opentype from "opentype.js"

export interface Lettering {
  /** As an SVG path. */
  readonly d: string
  readonly width_px: number
}

let face: opentype.Font | null = null

/** Barlow Condensed, drawn after the plates and road signs of California; SIL Open Font License 1.1. */
function font(): opentype.Font {
  if (face !== null) return face
  const file = "@fontsource/barlow-condensed/files/barlow-condensed-latin-600-normal.woff"
  const bytes = readFileSync(createRequire(import.meta.url).resolve(file))
  face = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  return face
}

/** Where a pen goes for one character, in units of the font, y downward: the letter of each step, then its points. */
type Step = readonly [letter: string, ...points: number[]]

interface Glyph {
  readonly steps: readonly Step[]
  readonly advance: number
}

const glyphs = new Map<string, Glyph>()

function glyphOf(character: string): Glyph {
  const known = glyphs.get(character)
  if (known !== undefined) return known
  const glyph = font().charToGlyph(character)
  const steps = glyph.getPath(0, 0, font().unitsPerEm).commands.map((command): Step => {
    if (command.type === "Z") return ["Z"]
    if (command.type === "Q") return ["Q", command.x1, command.y1, command.x, command.y]
    if (command.type === "C") {
      return ["C", command.x1, command.y1, command.x2, command.y2, command.x, command.y]
    }
    return [command.type, command.x, command.y]
  })
  const drawn = { steps, advance: glyph.advanceWidth ?? 0 }
  glyphs.set(character, drawn)
  return drawn
}

/**
 * Text of A to Z, 0 to 9 and space as outlines, so that no font of the machine has a say in a picture.
 * @param capHeight_px  of the capital letters, which stand on y = 0 from x = 0.
 * @param gap_px        between two characters, on top of the font's own.
 */
export function lettering(text: string, capHeight_px: number, gap_px: number): Lettering {
  const capHeight = Number(font().tables.os2?.sCapHeight ?? 700)
  const scale = capHeight_px / capHeight
  let x = 0
  let d = ""
  for (const character of text) {
    const { steps, advance } = glyphOf(character)
    for (const [letter, ...points] of steps) {
      d +=
        letter +
        points.map((value, i) => Math.round((value * scale + (i % 2 === 0 ? x : 0)) * 100) / 100).join(" ")
    }
    x += advance * scale + gap_px
  }
  return { d, width_px: Math.max(0, x - gap_px) }
}
