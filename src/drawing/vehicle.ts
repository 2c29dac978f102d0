import type { Chance } from "./chance.ts"
import type { Light } from "./light.ts"
import { cabinShell, drawCabin, drawGlass, drawMirrors, drawSeated, mirrorShell, seatsOf } from "./cabin.ts"
import { faceShape, type Look } from "./person.ts"
import { drawFront, lampsShine, type Lamp } from "./front.ts"
import { drawPlate, plateSize } from "./plate.ts"
import { fade, halo, line, mirrored, mix, outline, pair, path } from "./shapes.ts"

/** The front of a body type; pixels from the middle and up from the ground, negative upward, before scaling. */
export interface Body {
  readonly half: number
  /** Half widths of roof and of the windscreen's lower edge. */
  readonly roofHalf: number
  readonly beltHalf: number
  readonly roof: number
  readonly belt: number
  /** Front edge of the bonnet. */
  readonly nose: number
  readonly lampHeight: number
  readonly plateY: number
  readonly clearance: number
  readonly headSize: number
  readonly faceY: number
}

const bodies = {
  sedan: {
    half: 400,
    roofHalf: 226,
    beltHalf: 318,
    roof: -566,
    belt: -366,
    nose: -262,
    lampHeight: 60,
    plateY: -150,
    clearance: -44,
    headSize: 0.9,
    faceY: -452,
  },
  suv: {
    half: 404,
    roofHalf: 280,
    beltHalf: 340,
    roof: -690,
    belt: -440,
    nose: -336,
    lampHeight: 66,
    plateY: -172,
    clearance: -62,
    headSize: 0.98,
    faceY: -545,
  },
  pickup: {
    half: 412,
    roofHalf: 266,
    beltHalf: 334,
    roof: -676,
    belt: -452,
    nose: -374,
    lampHeight: 84,
    plateY: -150,
    clearance: -76,
    headSize: 0.94,
    faceY: -545,
  },
  van: {
    half: 388,
    roofHalf: 310,
    beltHalf: 346,
    roof: -752,
    belt: -420,
    nose: -322,
    lampHeight: 74,
    plateY: -158,
    clearance: -52,
    headSize: 0.9,
    faceY: -545,
  },
} as const satisfies Record<string, Body>

const paints = [
  "#f1f1ee",
  "#c9ccce",
  "#7d8287",
  "#24272b",
  "#8e1f22",
  "#1f3f72",
  "#2f5a44",
  "#b59a6a",
  "#5b3b2c",
  "#c66a1c",
  "#5f8aa8",
] as const

export interface Vehicle {
  readonly type: keyof typeof bodies
  readonly paint: string
  readonly plate: string
  readonly lamps: "round" | "slim" | "square"
  readonly grille: "bars" | "mesh" | "slots"
}

export function vehicleOf(plate: string, chance: Chance): Vehicle {
  return {
    plate,
    type: chance.pick(["sedan", "sedan", "suv", "suv", "pickup", "van"] as const),
    paint: chance.pick(paints),
    lamps: chance.pick(["round", "slim", "square"] as const),
    grille: chance.pick(["bars", "mesh", "slots"] as const),
  }
}

/** A rectangle before the vehicle is scaled and placed. */
export interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface DrawnVehicle {
  readonly svg: string
  readonly lamps: readonly Lamp[]
  readonly plate: Place
  readonly faces: readonly Place[]
}

/**
 * A vehicle from the front, the middle of its track at the origin.
 * @param people  the driver first, then who sits beside, then behind; at most three.
 * @param chance  of this capture: how heads turn.
 */
export function drawVehicle(
  vehicle: Vehicle,
  people: readonly Look[],
  light: Light,
  chance: Chance,
): DrawnVehicle {
  const body: Body = bodies[vehicle.type]
  const plate = { x: -plateSize.width_px / 2, y: body.plateY - plateSize.height_px / 2 }
  const seats = seatsOf(body, people.length)
  const front = drawFront(vehicle, body, light)
  const plateSvg = `<g transform="translate(${plate.x} ${plate.y})">${drawPlate(vehicle.plate, chance)}</g>`
  return {
    svg: [
      `<defs>${definitions(vehicle.paint, light)}${front.defs}</defs>`,
      ground(body),
      drawCabin(vehicle, body),
      ...people.map((look, i) => drawSeated(look, seats[i] ?? [0, 0, 1], chance)).reverse(),
      drawGlass(body, light),
      drawMirrors(vehicle, body),
      hull(vehicle, body),
      front.svg,
      veil(body, light),
      front.bright,
      plateSvg,
    ].join(""),
    lamps: lampsShine(vehicle, body, light),
    plate: { ...plate, width: plateSize.width_px, height: plateSize.height_px },
    faces: seats.slice(0, people.length).map(([x, y, scale]) => ({
      x: x - faceShape.halfWidth * scale,
      y: y + faceShape.crown * scale,
      width: 2 * faceShape.halfWidth * scale,
      height: (faceShape.chin - faceShape.crown) * scale,
    })),
  }
}

/** The dark of the hour over the whole vehicle; what shines in the camera's lamp is drawn after it. */
function veil(body: Body, { shadeOpacity }: Light): string {
  if (shadeOpacity === 0) return ""
  return path(cabinShell(body) + hullShell(body) + mirrorShell(body) + tyreShell(body), "url(#veil)")
}

function definitions(paint: string, { shade, shadeOpacity }: Light): string {
  return [
    fade("veil", [
      [0, shade, shadeOpacity],
      [0.4, shade, shadeOpacity * 0.7],
      [0.7, shade, shadeOpacity * 0.6],
      [1, shade, Math.min(1, shadeOpacity * 1.2)],
    ]),
    fade("body", [
      [0, mix(paint, "#ffffff", 0.28)],
      [0.3, paint],
      [0.75, mix(paint, "#000000", 0.22)],
      [1, mix(paint, "#000000", 0.55)],
    ]),
    fade("bonnet", [
      [0, mix(paint, "#dfeaf2", 0.62)],
      [0.45, mix(paint, "#ffffff", 0.2)],
      [1, mix(paint, "#000000", 0.12)],
    ]),
    fade("roof", [
      [0, mix(paint, "#e9f1f6", 0.6)],
      [1, mix(paint, "#000000", 0.15)],
    ]),
    fade("inside", [
      [0, "#101317"],
      [0.55, "#22272c"],
      [1, "#15181b"],
    ]),
    fade("glass", [
      [0, "#0a1620", 0.62],
      [0.2, "#20343f", 0.22],
      [0.7, "#8fb0bf", 0.07],
      [1, "#0a0f13", 0.3],
    ]),
    fade("shine", [
      [0, "#ffffff", 0.34],
      [1, "#ffffff", 0.03],
    ]),
  ].join("")
}

function tyreShell({ half }: Body): string {
  return pair([
    [half - 118, -150, 8],
    [half - 14, -150, 22],
    [half - 10, -16, 20],
    [half - 22, 6, 14],
    [half - 108, 6, 14],
    [half - 120, -16, 12],
  ])
}

function ground(body: Body): string {
  const { half, clearance } = body
  const treads = [0, 1, 2, 3]
    .map(i => [-1, 1].map(side => `M${side * (half - 104 + i * 24)} -120V2`).join(""))
    .join("")
  return (
    halo([0, 4], [half + 70, 46], "#000000", 0.93) +
    path(
      outline([
        [-half + 20, clearance - 30],
        [half - 20, clearance - 30],
        [half - 30, -8],
        [-half + 30, -8],
      ]),
      "#060607",
      'fill-opacity="0.9"',
    ) +
    path(tyreShell(body), "#17181a") +
    line(treads, "#2b2d30", 4)
  )
}

function hullShell({ half, beltHalf, belt, nose, clearance }: Body): string {
  return mirrored([
    [beltHalf + 20, belt + 10, 20],
    [half - 22, belt + 40, 50],
    [half, nose + 24, 60],
    [half + 2, nose + 130, 30],
    [half - 6, clearance - 26, 30],
    [half - 46, clearance, 20],
  ])
}

/** Bonnet, wings and the bumper's body, which hide the people's lower half. */
function hull({ paint }: Vehicle, body: Body): string {
  const { half, beltHalf, belt, nose } = body
  const bonnet = mirrored([
    [beltHalf - 4, belt + 6, 24],
    [half - 84, nose + 2, 50],
    [half - 160, nose + 14, 20],
  ])
  const dark = mix(paint, "#000000", 0.5)
  const light = mix(paint, "#ffffff", 0.55)
  const creases = [-1, 1]
    .map(
      s =>
        `M${s * beltHalf * 0.62} ${belt + 10}Q${s * (half - 200)} ${nose - 40} ${s * (half - 208)} ${nose + 6}`,
    )
    .join("")
  const lips = `M${-half + 70} ${nose + 4}Q0 ${nose + 26} ${half - 70} ${nose + 4}`
  const cowl = mirrored([
    [beltHalf - 10, belt - 2, 6],
    [beltHalf - 6, belt + 14, 6],
  ])
  return (
    path(hullShell(body), "url(#body)") +
    path(bonnet, "url(#bonnet)") +
    path(cowl, "#111315") +
    line(creases, light, 4, 0.55) +
    line(creases, dark, 2, 0.5) +
    line(lips, dark, 4, 0.7)
  )
}
