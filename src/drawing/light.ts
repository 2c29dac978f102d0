import { chanceOf, type Chance } from "./chance.ts"

export type LightName = "day" | "dusk" | "night" | "infrared"

/** What an hour makes of colours and of the sensor. */
export interface Light {
  readonly name: LightName
  readonly sky: readonly [top: string, bottom: string]
  /** Laid over everything that no lamp of the camera reaches. */
  readonly shade: string
  readonly shadeOpacity: number
  readonly isLit: boolean
  /** Standard deviation of the sensor's noise, in 8-bit steps. */
  readonly noise: number
  readonly gain: readonly [red: number, green: number, blue: number]
  /** Exponent of the sensor's curve; below 1 lifts the shadows. */
  readonly gamma: number
}

const lights: Readonly<Record<LightName, Light>> = {
  day: {
    name: "day",
    sky: ["#8db4d8", "#dfe7ea"],
    shade: "#000000",
    shadeOpacity: 0,
    isLit: false,
    noise: 3,
    gain: [1.02, 1, 0.96],
    gamma: 0.96,
  },
  dusk: {
    name: "dusk",
    sky: ["#4d5a86", "#f0a873"],
    shade: "#32204a",
    shadeOpacity: 0.24,
    isLit: true,
    noise: 5,
    gain: [1.16, 1, 0.94],
    gamma: 1.02,
  },
  night: {
    name: "night",
    sky: ["#070a14", "#1c2333"],
    shade: "#04060f",
    shadeOpacity: 0.52,
    isLit: true,
    noise: 7,
    gain: [1.1, 1.06, 0.98],
    gamma: 0.92,
  },
  infrared: {
    name: "infrared",
    sky: ["#050505", "#101010"],
    shade: "#000000",
    shadeOpacity: 0.46,
    isLit: true,
    noise: 6,
    gain: [1.12, 1.12, 1.12],
    gamma: 0.94,
  },
}

/** The light at a local hour, 0 ≤ hour < 24. In the dark every second capture is taken in infrared. */
export function lightAt(hour: number, chance: Chance): Light {
  if (hour >= 7 && hour < 17.5) return lights.day
  if ((hour >= 5.5 && hour < 7) || (hour >= 17.5 && hour < 19.5)) return lights.dusk
  return chance.happens(0.5) ? lights.infrared : lights.night
}

const grainSize = 1 << 18

const grains = new Map<LightName, Int8Array>()

/** The noise of a light, made once: sums of four uniform values, in which no eye sees the difference to a Gauss curve. */
function grainOf(light: Light): Int8Array {
  const known = grains.get(light.name)
  if (known !== undefined) return known
  const chance = chanceOf("grain", light.name)
  const scale = light.noise / Math.sqrt(4 / 3)
  const made = Int8Array.from({ length: grainSize }, () => {
    const sum = [1, 2, 3, 4].reduce(total => total + chance.between(-1, 1), 0)
    return Math.round(sum * scale)
  })
  grains.set(light.name, made)
  return made
}

/** Values are kept this far from 0, so that noise may go below it before `clamped` cuts. */
const offset = 128

const clamped = Uint8Array.from({ length: 512 }, (_, value) => Math.max(0, Math.min(255, value - offset)))

function curveOf(light: Light, gain: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, value) => {
    return offset + Math.min(255, Math.round(255 * gain * (value / 255) ** light.gamma))
  })
}

/**
 * Takes the picture: each channel through the sensor's curve, grain on top; in infrared there is one channel.
 * @param rgba    opaque pixels, four bytes each.
 * @param chance  of this capture: where its grain begins.
 * @returns three bytes per pixel.
 */
export function expose(rgba: Uint8Array, light: Light, chance: Chance): Uint8Array {
  const [red, green, blue] = light.gain.map(gain => curveOf(light, gain)) as Curves
  const grain = grainOf(light)
  const isGrey = light.name === "infrared"
  const rgb = new Uint8Array((rgba.length / 4) * 3)
  let n = chance.index(grainSize)
  // The tables are as long as what indexes them; this loop is half of the cost of a picture, and asks nothing.
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    let r = rgba[from] as number
    let g = rgba[from + 1] as number
    let b = rgba[from + 2] as number
    if (isGrey) r = g = b = (r * 77 + g * 130 + b * 49) >> 8
    n = (n + 1) & (grainSize - 1)
    const noise = grain[n] as number
    rgb[to] = clamped[(red[r] as number) + noise] as number
    rgb[to + 1] = clamped[(green[g] as number) + noise] as number
    rgb[to + 2] = clamped[(blue[b] as number) + noise] as number
  }
  return rgb
}

type Curves = [red: Uint16Array, green: Uint16Array, blue: Uint16Array]
