import type { Chance } from "./chance.ts"
import type { Light } from "./light.ts"
import { ellipse, fade, halo, line, mix, outline, path, round } from "./shapes.ts"

/** In which everything is drawn; the picture is smaller by `zoom`. */
export const frame = { width: 1280, height: 960 } as const

export const zoom = 0.8

/** Where the lane's lines meet. */
const vanishing = { x: 640, y: 372 }

/** The port of entry as a lane's camera sees it, without a vehicle: canopy, booths, islands, road. In SVG. */
export function drawPort(light: Light, chance: Chance): string {
  const { width: w, height: h } = frame
  const booth = chance.pick(["left", "right", "both"] as const)
  const paint = chance.pick(["#2f5d7c", "#6b7b3a", "#8a4b32", "#4d5563", "#376a5b"])
  return [
    `<defs>${fade("sky", [
      [0, light.sky[0]],
      [1, light.sky[1]],
    ])}`,
    fade("road", [
      [0, "#8b8b89"],
      [0.35, "#6c6c6b"],
      [1, "#4c4d4f"],
    ]),
    fade("ceiling", [
      [0, "#aab0b2"],
      [1, "#8f9698"],
    ]),
    fade("island", [
      [0, "#b9b6ae"],
      [1, "#8d8a83"],
    ]),
    "</defs>",
    `<rect width="${w}" height="${h}" fill="url(#sky)"/>`,
    distance(light, chance),
    path(`M-40 ${h}L470 ${vanishing.y + 6}H810L1320 ${h}Z`, "url(#road)"),
    roadMarks(chance),
    island(-1),
    island(1),
    booth === "right" ? "" : boothAt(-1, paint, light),
    booth === "left" ? "" : boothAt(1, paint, light),
    columns(paint),
    canopy(paint, light),
    signal(chance, light),
  ].join("")
}

/** Hills, a fence and what waits behind, hazy. */
function distance(light: Light, chance: Chance): string {
  const haze = light.sky[1]
  const peaks = Array.from({ length: 9 }, (_, i) => `L${i * 160} ${round(chance.between(296, 352))}`)
  const hills = path(`M0 380${peaks.join("")}L1280 380Z`, mix("#5b6b6a", haze, 0.55))
  const ground = path(`M0 366H1280V960H0Z`, mix("#8f8a7c", haze, 0.2))
  const posts = Array.from({ length: 40 }, (_, i) => `M${i * 33} 340V370`).join("")
  const waiting = [-1, 1].map(side => {
    const x = vanishing.x + side * chance.between(30, 90)
    const tone = chance.pick(["#dcdcd8", "#33373d", "#7a2a2a", "#5c7086"])
    return (
      path(
        outline([
          [x - 34, 398, 4],
          [x - 34, 372, 10],
          [x - 24, 352, 8],
          [x + 24, 352, 8],
          [x + 34, 372, 10],
          [x + 34, 398, 4],
        ]),
        mix(tone, haze, 0.3),
      ) +
      path(
        outline([
          [x - 21, 372, 3],
          [x - 17, 356, 4],
          [x + 17, 356, 4],
          [x + 21, 372, 3],
        ]),
        "#20262c",
        'fill-opacity="0.8"',
      )
    )
  })
  return hills + ground + line(posts + "M0 345H1280M0 356H1280", "#6c7378", 1.2, 0.7) + waiting.join("")
}

function roadMarks(chance: Chance): string {
  const { x, y } = vanishing
  const stripe = (offset: number, half: number) =>
    path(
      `M${x + offset * 0.22 - 2} ${y + 20}L${x + offset - half} 960H${x + offset + half}L${x + offset * 0.22 + 2} ${y + 20}Z`,
      "#e5e2d6",
      'fill-opacity="0.8"',
    )
  const wear = [-250, 250].map(at => stripeOf(at, 80, "#2c2c2e", 0.22)).join("")
  const stains = Array.from({ length: 5 }, () =>
    ellipse(
      [chance.between(420, 860), chance.between(620, 940)],
      [chance.between(20, 70), chance.between(6, 16)],
      "#1e1e20",
      'fill-opacity="0.22"',
    ),
  )
  const joints = [470, 540, 650, 820].map(at => `M0 ${at}H1280`).join("")
  return (
    wear +
    stains.join("") +
    line(joints, "#37383a", 2, 0.5) +
    stripe(-560, 13) +
    stripe(560, 13) +
    path("M130 905H1150L1170 936H110Z", "#e5e2d6", 'fill-opacity="0.72"')
  )
}

function stripeOf(offset: number, half: number, colour: string, opacity: number): string {
  const { x, y } = vanishing
  return path(
    `M${x + offset * 0.2 - 8} ${y + 12}L${x + offset - half} 960H${x + offset + half}L${x + offset * 0.2 + 8} ${y + 12}Z`,
    colour,
    `fill-opacity="${opacity}"`,
  )
}

/** Kerb with the black and yellow that keeps wheels off it. @param side  -1 left, 1 right. */
function island(side: number): string {
  const at = (x: number) => vanishing.x + side * x
  const top = path(
    `M${at(150)} 392L${at(205)} 392L${at(900)} 800L${at(900)} 905L${at(560)} 905Z`,
    "url(#island)",
  )
  const face = path(`M${at(150)} 392L${at(560)} 905L${at(560)} 948L${at(143)} 398Z`, "#d8b22a")
  const bars = Array.from({ length: 9 }, (_, i) => {
    const [near, far] = [1 - i * 0.11, 1 - i * 0.11 - 0.055]
    const inner = (t: number, up: number) => `${round(at(150 + 410 * t))} ${round(392 + 513 * t + up * t)}`
    return path(`M${inner(near, 0)}L${inner(far, 0)}L${inner(far, 43)}L${inner(near, 43)}Z`, "#1d1d1d")
  })
  const bollards = [0.62, 0.36].map(t => {
    const [x, y, s] = [at(185 + 410 * t), 392 + 500 * t, t]
    const body = outline([
      [x - 26 * s, y - 190 * s, 14 * s],
      [x + 26 * s, y - 190 * s, 14 * s],
      [x + 26 * s, y, 6 * s],
      [x - 26 * s, y, 6 * s],
    ])
    return (
      path(body, "#e0b422") +
      path(
        `M${round(x + 8 * s)} ${round(y - 186 * s)}h${round(14 * s)}V${round(y - 2)}h${round(-14 * s)}Z`,
        "#8f6d0e",
        'fill-opacity="0.7"',
      ) +
      path(
        `M${round(x - 26 * s)} ${round(y - 140 * s)}h${round(52 * s)}v${round(24 * s)}h${round(-52 * s)}Z`,
        "#f4f1e6",
      )
    )
  })
  return top + face + bars.join("") + bollards.join("")
}

function boothAt(side: number, paint: string, light: Light): string {
  const at = (x: number) => round(vanishing.x + side * x)
  const pane = light.isLit ? "#f6e3a6" : "#9fb6c2"
  const wall = path(
    `M${at(330)} 232H${at(700)}V742L${at(400)} 560L${at(330)} 520Z`,
    mix(paint, "#ffffff", 0.25),
  )
  const edge = path(`M${at(330)} 232L${at(268)} 262V474L${at(330)} 520Z`, mix(paint, "#000000", 0.35))
  const window =
    path(`M${at(350)} 300H${at(620)}V500L${at(350)} 440Z`, pane) +
    path(`M${at(322)} 296L${at(276)} 306V424L${at(322)} 440Z`, mix(pane, "#000000", 0.35))
  const officer =
    path(`M${at(430)} 462Q${at(432)} 405 ${at(462)} 398Q${at(492)} 405 ${at(500)} 476Z`, "#1e2d44") +
    ellipse([at(462), 372], [19, 24], "#6d5344")
  const bars = line(
    `M${at(440)} 300V462M${at(530)} 300V481M${at(350)} 370L${at(620)} 372`,
    mix(paint, "#000000", 0.5),
    5,
  )
  const shine = path(
    `M${at(360)} 300H${at(400)}L${at(352)} 380V320Z M${at(560)} 300H${at(600)}L${at(540)} 470H${at(505)}Z`,
    "#ffffff",
    'fill-opacity="0.22"',
  )
  const roof = path(
    `M${at(252)} 250L${at(322)} 212H${at(720)}V238H${at(330)}L${at(252)} 268Z`,
    mix(paint, "#000000", 0.5),
  )
  return wall + edge + window + officer + shine + bars + roof
}

function columns(paint: string): string {
  return [-1, 1]
    .map(side => {
      const at = (x: number) => round(vanishing.x + side * x)
      return (
        path(`M${at(215)} 190H${at(243)}V470H${at(215)}Z`, mix(paint, "#d9d9d4", 0.6)) +
        path(`M${at(215)} 190H${at(224)}V470H${at(215)}Z`, "#000000", 'fill-opacity="0.28"')
      )
    })
    .join("")
}

/** The lamps under the canopy: middle of the upper edge, half width, and on which side. */
export const canopyLamps = [38, 96, 138].flatMap(y =>
  [-1, 1].map(side => {
    const t = (y + 20) / 216
    return { x: 640 + side * (300 - 190 * t), y, half: 62 * (1 - 0.62 * t), side }
  }),
)

/** The roof over the lanes, seen from below: girders that run away, girders across, lamps between. */
function canopy(paint: string, light: Light): string {
  const far = 196
  const roof = path(`M-200 -10H1480L900 ${far}H380Z`, "url(#ceiling)")
  const along = [-620, -380, -150, 150, 380, 620]
    .map(x => `M${640 + x * 1.35} 0L${640 + x * 0.42} ${far}`)
    .join("")
  const edge = (y: number) => round(-200 + (580 * (y + 10)) / (far + 10))
  const across = [26, 82, 126, 160, 182].map(y => `M${edge(y)} ${y}H${1280 - edge(y)}`).join("")
  const lamps = canopyLamps.map(({ x, y, half, side }) => {
    const deep = half * 0.28
    return path(
      `M${round(x - half)} ${y}h${round(2 * half)}l${round(-side * 6)} ${round(deep)}h${round(-2 * half)}Z`,
      light.isLit ? "#fffdf2" : "#eef1f0",
    )
  })
  const front =
    path(`M380 ${far - 12}H900V${far + 22}H380Z`, paint) +
    path(`M380 ${far + 17}H900V${far + 22}H380Z`, "#000000", 'fill-opacity="0.35"')
  return roof + line(across, "#7d8486", 5, 0.8) + line(along, "#6d7476", 7, 0.75) + lamps.join("") + front
}

/** The lane's signal over the middle: an arrow or a cross of lamps. */
function signal(chance: Chance, light: Light): string {
  const isOpen = chance.happens(0.8)
  const colour = isOpen ? "#35e07a" : "#ff4b3e"
  const box = path(
    outline([
      [612, 190, 5],
      [668, 190, 5],
      [668, 246, 5],
      [612, 246, 5],
    ]),
    "#14161a",
  )
  const shape = isOpen ? "M640 202V232M628 221L640 234L652 221" : "M626 204L654 232M654 204L626 232"
  const shine = light.isLit ? halo([640, 218], [80, 70], colour, 0.3) : ""
  return box + shine + line(shape, colour, 6)
}
