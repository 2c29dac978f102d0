import type { Chance } from "./chance.ts"
import { ellipse, line, mix, outline, path, round } from "./shapes.ts"

/** How a person who does not exist looks. */
export interface Look {
  readonly skin: string
  readonly hair: string
  readonly cloth: string
  readonly cut: "short" | "long" | "bald" | "cap" | "curly"
  readonly hasBeard: boolean
  readonly hasGlasses: boolean
  /** Share of the usual width of a face, and of the usual distance of the eyes. */
  readonly broad: number
  readonly eyes: number
}

const skins = ["#f3d3bb", "#e8b996", "#d6a077", "#bd8257", "#9a6540", "#80512f", "#6b432b"] as const
const hairs = ["#17130f", "#2b1d14", "#4a2f1c", "#7a5230", "#b08850", "#8f8f8f", "#d8d6d0"] as const
const cloths = [
  "#32465f",
  "#7c2f2f",
  "#e6e2d8",
  "#3d5a3f",
  "#222428",
  "#8a7a58",
  "#5e3e68",
  "#c08a2e",
] as const

export function lookOf(chance: Chance): Look {
  const cut = chance.pick(["short", "short", "long", "long", "bald", "cap", "curly"] as const)
  return {
    skin: chance.pick(skins),
    hair: chance.pick(hairs),
    cloth: chance.pick(cloths),
    cut,
    hasBeard: cut !== "long" && chance.happens(0.3),
    hasGlasses: chance.happens(0.25),
    broad: chance.between(0.98, 1.1),
    eyes: chance.between(0.92, 1.08),
  }
}

/** Half width and height of a face, from the crown to the chin, in the units of `drawPerson`. */
export const faceShape = { halfWidth: 39, crown: -58, chin: 56 } as const

/**
 * Head and shoulders from the front in SVG, the bridge of the nose near the origin, `faceShape` large.
 * Enough of a face for a face finder: shaded skull, brows, eyes, nose, mouth.
 */
export function drawPerson(look: Look, turn: number): string {
  return [shoulders(look), hairBehind(look), head(look), features(look, turn), hairBefore(look)].join("")
}

function shoulders({ skin, cloth }: Look): string {
  const dark = mix(cloth, "#000000", 0.35)
  const body = outline([
    [-24, 66, 12],
    [24, 66, 12],
    [92, 92, 34],
    [112, 220],
    [-112, 220],
    [-92, 92, 34],
  ])
  const neck = outline([
    [-19, 30],
    [19, 30],
    [22, 78, 14],
    [0, 92, 12],
    [-22, 78, 14],
  ])
  return (
    path(body, cloth) +
    path("M-92 100Q-60 150 -62 220H-112Z M92 100Q60 150 62 220H112Z", dark, 'fill-opacity="0.5"') +
    path(neck, mix(skin, "#2a1208", 0.3)) +
    line("M-25 70Q0 104 25 70", dark, 5, 0.8)
  )
}

function head({ skin, broad }: Look): string {
  const light = mix(skin, "#fff4ea", 0.34)
  const shade = mix(skin, "#2a0e05", 0.42)
  const w = 38 * broad
  const skull = `M${-w} -12C${-w} -74 ${w} -74 ${w} -12C${w} 22 ${w * 0.62} 56 0 56C${-w * 0.62} 56 ${-w} 22 ${-w} -12Z`
  return (
    ellipse([-w, 2], [7, 13], shade) +
    ellipse([w, 2], [7, 13], shade) +
    path(skull, skin) +
    path(
      `M${w} -12C${w} 22 ${w * 0.62} 56 0 56C${w * 0.3} 46 ${w * 0.66} 20 ${w * 0.7} -30Z`,
      shade,
      'fill-opacity="0.55"',
    ) +
    ellipse([-6, -32], [24, 13], light, 'fill-opacity="0.65"') +
    ellipse([-19 * broad, 9], [11, 7], light, 'fill-opacity="0.5"') +
    ellipse([16 * broad, 9], [10, 6], light, 'fill-opacity="0.4"') +
    ellipse([-2, 47], [11, 6], light, 'fill-opacity="0.4"') +
    ellipse([-17 * broad, 16], [10, 8], mix(skin, "#e0684e", 0.3), 'fill-opacity="0.35"') +
    ellipse([17 * broad, 16], [10, 8], mix(skin, "#e0684e", 0.3), 'fill-opacity="0.35"')
  )
}

/** @param turn  -1 to 1: where the head looks; the features move with it. */
function features(look: Look, turn: number): string {
  const { skin, hair } = look
  const shade = mix(skin, "#22090a", 0.62)
  const brow = mix(hair, "#1c120c", look.hair === "#d8d6d0" ? 0.3 : 0.6)
  const apart = 16 * look.eyes
  const eye = (x: number) =>
    ellipse([x, -9], [11, 8.5], shade, 'fill-opacity="0.5"') +
    ellipse([x, -6], [7, 4], "#efeae4") +
    ellipse([x + turn * 1.6, -6], [3.6, 3.8], "#2e1c12") +
    ellipse([x + turn * 1.6 - 1, -7.4], [1, 1], "#ffffff") +
    line(`M${x - 7.4} -7.5Q${x} -12.4 ${x + 7.4} -7.5`, "#20130d", 2) +
    line(`M${x - 9} -16Q${x} -22 ${x + 9} -16`, brow, 3.6, 0.9)
  const nose =
    path("M-3 -8Q-6 8 -8.5 13Q0 20 8.5 13Q6 8 3 -8Z", shade, 'fill-opacity="0.34"') +
    line("M-7.5 14Q-4 18 0 16.5Q4 18 7.5 14", shade, 2, 0.85) +
    line("M-1 -5L-1.5 11", mix(skin, "#fff4ea", 0.55), 4, 0.7)
  const mouth =
    path("M-14 31Q-5 27 0 29Q5 27 14 31Q6 39 0 39Q-6 39 -14 31Z", mix(skin, "#9c2f2c", 0.5)) +
    line("M-14 31Q0 34.5 14 31", "#4a1a16", 1.7, 0.9)
  const beard = path(
    "M-37 6C-36 40 -22 60 0 60C22 60 36 40 37 6C30 24 22 23 14 22Q0 19 -14 22C-22 23 -30 24 -37 6Z M-13 30Q0 25 13 30Q6 42 0 42Q-6 42 -13 30Z",
    mix(hair, "#000000", 0.1),
    'fill-opacity="0.86" fill-rule="evenodd"',
  )
  const glasses =
    [-apart, apart]
      .map(
        x =>
          `<rect x="${round(x - 11)}" y="-15" width="22" height="17" rx="6" fill="#9fb4c4" fill-opacity="0.22" stroke="#17181a" stroke-width="2.4"/>`,
      )
      .join("") + line("M-5 -9Q0 -12 5 -9", "#17181a", 2.2)
  const all =
    eye(-apart) + eye(apart) + nose + (look.hasBeard ? beard : "") + mouth + (look.hasGlasses ? glasses : "")
  return `<g transform="translate(${round(turn * 5)} 0)">${all}</g>`
}

function hairBehind({ cut, hair }: Look): string {
  const dark = mix(hair, "#000000", 0.35)
  if (cut === "long")
    return path("M-46 -14C-56 -84 56 -84 46 -14C50 30 54 70 46 92H-46C-54 70 -50 30 -46 -14Z", dark)
  if (cut === "curly") return ellipse([0, -22], [54, 50], dark)
  return ""
}

function hairBefore({ cut, hair, cloth }: Look): string {
  const light = mix(hair, "#ffffff", 0.18)
  if (cut === "bald") return ellipse([-10, -46], [14, 6], "#ffffff", 'fill-opacity="0.25"')
  if (cut === "cap") {
    const dark = mix(cloth, "#000000", 0.4)
    return (
      path("M-42 -26C-44 -84 44 -84 42 -26Q0 -40 -42 -26Z", cloth) +
      path("M-44 -27Q0 -46 44 -27Q34 -19 0 -24Q-34 -19 -44 -27Z", dark)
    )
  }
  if (cut === "curly") {
    const curls = [-40, -24, -6, 12, 29, 42].map((x, i) =>
      ellipse([x, -44 - 10 * Math.cos(x / 28) - (i % 2) * 3], [13, 13], hair),
    )
    return curls.join("") + ellipse([-14, -58], [10, 5], light, 'fill-opacity="0.35"')
  }
  const fringe =
    cut === "long"
      ? "M-43 12C-52 -84 52 -84 43 12C40 -14 34 -34 8 -44C-14 -38 -38 -26 -43 12Z"
      : "M-40 -8C-48 -82 48 -82 40 -8C38 -26 34 -34 24 -38C4 -34 -20 -34 -31 -36C-36 -28 -38 -22 -40 -8Z"
  return path(fringe, hair) + line("M-24 -52Q-4 -64 18 -56", light, 5, 0.4)
}
