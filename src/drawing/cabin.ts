import type { Chance } from "./chance.ts"
import type { Light } from "./light.ts"
import { drawPerson, type Look } from "./person.ts"
import { line, mirrored, mix, outline, pair, path, round, type Corner } from "./shapes.ts"
import type { Body, Vehicle } from "./vehicle.ts"

/** The point of the windscreen at u (-1 left edge, 1 right) and v (0 upper edge, 1 lower). */
function onGlass(body: Body, u: number, v: number): Corner {
  const upper = body.roofHalf - 26
  const lower = body.beltHalf - 16
  return [u * (upper + (lower - upper) * v), body.roof + 40 + (body.belt - body.roof - 36) * v]
}

function pane(body: Body, corners: readonly (readonly [u: number, v: number])[]): string {
  return `M${corners
    .map(([u, v]) =>
      onGlass(body, u, v)
        .map(value => round(value ?? 0))
        .join(" "),
    )
    .join("L")}Z`
}

export function cabinShell({ roofHalf, beltHalf, roof, belt }: Body): string {
  return mirrored([
    [roofHalf * 0.6, roof - 4, 60],
    [roofHalf, roof + 18, 40],
    [beltHalf + 34, belt + 6, 10],
    [beltHalf + 40, belt + 90],
  ])
}

/** Roof, pillars, mirrors, and the dark inside with seats, drawn before the people. */
export function drawCabin({ paint, type }: Vehicle, body: Body): string {
  const { roofHalf, beltHalf, roof, belt } = body
  const side = pair([
    [roofHalf - 2, roof + 56, 8],
    [roofHalf + 6, roof + 56, 4],
    [beltHalf + 26, belt + 2],
    [beltHalf + 4, belt + 2],
  ])
  const [upper, lower] = [onGlass(body, 1, 0), onGlass(body, 1, 1)]
  const opening = mirrored([
    [upper[0], upper[1], 26],
    [lower[0], lower[1], 14],
  ])
  const back = path(
    pane(body, [
      [-0.55, 0.2],
      [0.55, 0.2],
      [0.5, 0.52],
      [-0.5, 0.52],
    ]),
    "#5d6d76",
    'fill-opacity="0.42"',
  )
  const rails =
    type === "suv"
      ? line(
          `M${-roofHalf + 36} ${roof + 4}V${roof - 12}M${roofHalf - 36} ${roof + 4}V${roof - 12}`,
          "#2a2c2f",
          12,
        )
      : ""
  return (
    rails +
    path(cabinShell(body), "url(#roof)") +
    path(side, "#11161a", 'fill-opacity="0.8"') +
    path(opening, "url(#inside)", `stroke="${mix(paint, "#000000", 0.75)}" stroke-width="7"`) +
    back +
    headrests(body)
  )
}

function headrests({ roofHalf, faceY, headSize, belt }: Body): string {
  const y = faceY + 10
  const w = 62 * headSize
  const seat = (x: number) =>
    path(
      outline([
        [x - w * 0.6, y - 76 * headSize, 18],
        [x + w * 0.6, y - 76 * headSize, 18],
        [x + w * 0.66, y + 4, 10],
        [x - w * 0.66, y + 4, 10],
      ]),
      "#33383d",
    ) +
    path(
      outline([
        [x - w * 1.5, y + 20, 40],
        [x + w * 1.5, y + 20, 40],
        [x + w * 1.8, belt + 60],
        [x - w * 1.8, belt + 60],
      ]),
      "#2a2f34",
    )
  return seat(-roofHalf * 0.54) + seat(roofHalf * 0.54)
}

export type Seat = readonly [x: number, y: number, scale: number]

/** Driver on the vehicle's left, which is the right of the picture. */
export function seatsOf({ roofHalf, faceY, headSize }: Body, count: number): readonly Seat[] {
  const beside = roofHalf * 0.54
  return (
    [
      [beside, faceY, headSize],
      [-beside, faceY + 4, headSize * 0.98],
      [4, faceY + 2, headSize * 0.72],
    ] as const
  ).slice(0, count)
}

export function drawSeated(look: Look, [x, y, scale]: Seat, chance: Chance): string {
  const turn = round(chance.between(-0.7, 0.7) * 10) / 10
  return `<g transform="translate(${round(x)} ${round(y)}) scale(${scale})">${drawPerson(look, turn)}</g>`
}

/** Steering wheel and dashboard, then what the glass adds: tint, the canopy's lamps, a sheen. */
export function drawGlass(body: Body, light: Light): string {
  const whole = pane(body, [
    [-1, 0],
    [1, 0],
    [1, 1],
    [-1, 1],
  ])
  const strength = light.isLit ? 0.5 : 1
  const sheen =
    path(
      pane(body, [
        [-0.98, 0.05],
        [-0.62, 0.02],
        [-0.86, 0.98],
        [-1, 0.98],
      ]),
      "url(#shine)",
      `fill-opacity="${0.75 * strength}"`,
    ) +
    path(
      pane(body, [
        [0.08, 0.02],
        [0.2, 0.02],
        [-0.12, 0.98],
        [-0.22, 0.98],
      ]),
      "url(#shine)",
      `fill-opacity="${0.55 * strength}"`,
    )
  const lamps = [-0.3, 0.36].map(u =>
    path(
      pane(body, [
        [u, 0.04],
        [u + 0.2, 0.04],
        [u + 0.19, 0.11],
        [u - 0.01, 0.11],
      ]),
      "#ffffff",
      'fill-opacity="0.42"',
    ),
  )
  const mirror = path(
    outline([
      [-36, body.roof + 52, 8],
      [36, body.roof + 52, 8],
      [30, body.roof + 76, 8],
      [-30, body.roof + 76, 8],
    ]),
    "#0b0c0e",
  )
  return dashboard(body) + path(whole, "url(#glass)") + lamps.join("") + sheen + mirror
}

function dashboard(body: Body): string {
  const { belt, roofHalf } = body
  const wheel = `<ellipse cx="${round(roofHalf * 0.54)}" cy="${belt + 2}" rx="66" ry="50" fill="none" stroke="#0d0f11" stroke-width="11"/>`
  const dash = path(
    mirrored([
      [body.beltHalf - 20, belt - 14, 8],
      [body.beltHalf, belt + 40],
    ]),
    "#0f1214",
  )
  return wheel + dash
}

export function mirrorShell({ beltHalf, belt }: Body): string {
  return pair([
    [beltHalf + 22, belt - 62, 14],
    [beltHalf + 96, belt - 66, 20],
    [beltHalf + 100, belt - 8, 18],
    [beltHalf + 34, belt - 4, 12],
  ])
}

/** Wipers and side mirrors. */
export function drawMirrors({ paint }: Vehicle, body: Body): string {
  const { beltHalf, belt } = body
  const wipers = [
    [-0.86, 0.98, -0.1, 0.86],
    [0.05, 0.99, 0.78, 0.87],
  ].map(([u = 0, v = 0, u2 = 0, v2 = 0]) => {
    return `M${onGlass(body, u, v).join(" ")}L${onGlass(body, u2, v2).join(" ")}`
  })
  const panes = pair([
    [beltHalf + 36, belt - 50, 10],
    [beltHalf + 88, belt - 53, 12],
    [beltHalf + 90, belt - 20, 10],
    [beltHalf + 42, belt - 17, 8],
  ])
  const feet = pair([
    [beltHalf + 4, belt + 2],
    [beltHalf + 40, belt - 20],
    [beltHalf + 44, belt - 2],
    [beltHalf + 16, belt + 16],
  ])
  return (
    line(wipers.join(""), "#0a0b0c", 6) +
    path(feet, "#15171a") +
    path(mirrorShell(body), mix(paint, "#000000", 0.2)) +
    path(panes, mix(paint, "#000000", 0.4))
  )
}
