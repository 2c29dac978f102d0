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
    shade: "#2a2038",
    shadeOpacity: 0.2,
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
    noise: 6,
    gain: [1.1, 1.06, 0.98],
    gamma: 0.78,
  },
  infrared: {
    name: "infrared",
    sky: ["#050505", "#101010"],
    shade: "#000000",
    shadeOpacity: 0.38,
    isLit: true,
    noise: 5,
    gain: [1.12, 1.12, 1.12],
    gamma: 0.72,
  },
}

/** The light at a local hour, 0 ≤ hour < 24. In the dark every second capture is taken in infrared. */
export function lightAt(hour: number, chance: Chance): Light {
  if (hour >= 7 && hour < 17.5) return lights.day
  if ((hour >= 5.5 && hour < 7) || (hour >= 17.5 && hour < 19.5)) return lights.dusk
  return chance.happens(0.5) ? lights.infrared : lights.night
}

const grainSize = 1 << 16

/** Steps of noise that are told apart, around the middle one, which is none. */
const noiseSteps = 64

/** What a sensor makes of a value in one light, looked up by the step of noise and the value: `step << 8 | value`. */
interface Sensor {
  readonly curves: readonly [red: Uint8Array, green: Uint8Array, blue: Uint8Array]
  /** Steps of noise, each shifted left by 8. */
  readonly grain: Uint16Array
}

const sensors = new Map<LightName, Sensor>()

/** Made once for each light. */
function sensorOf(light: Light): Sensor {
  const known = sensors.get(light.name)
  if (known !== undefined) return known
  const [red, green, blue] = light.gain
  const chance = chanceOf("grain", light.name)
  const made: Sensor = {
    curves: [curveOf(light, red), curveOf(light, green), curveOf(light, blue)],
    grain: Uint16Array.from({ length: grainSize }, () => grainStep(light, chance) << 8),
  }
  sensors.set(light.name, made)
  return made
}

function curveOf({ gamma }: Light, gain: number): Uint8Array {
  return Uint8Array.from({ length: noiseSteps * 256 }, (_, at) => {
    const value = 255 * gain * ((at & 255) / 255) ** gamma
    return Math.max(0, Math.min(255, Math.round(value + (at >> 8) - noiseSteps / 2)))
  })
}

/** The sum of four uniform values, which no eye tells from a Gauss curve. */
function grainStep({ noise }: Light, chance: Chance): number {
  const sum = [1, 2, 3, 4].reduce(total => total + chance.between(-1, 1), 0)
  const step = Math.round(noiseSteps / 2 + (sum * noise) / Math.sqrt(4 / 3))
  return Math.max(0, Math.min(noiseSteps - 1, step))
}

/** A lamp's veil of light on the lens, in pixels of the picture. */
export interface Bloom {
  readonly x_px: number
  readonly y_px: number
  readonly radius_px: number
  /** What its middle adds to red, green and blue. */
  readonly adds: readonly [red: number, green: number, blue: number]
}

/** Adds the lamps' light in place, falling off as (1 − distance²/radius²)³. */
export function shine(rgba: Uint8Array, width_px: number, blooms: readonly Bloom[]): void {
  const pixels = new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.length)
  const height_px = rgba.length / 4 / width_px
  for (const { x_px, y_px, radius_px, adds } of blooms) {
    const [red, green, blue] = adds
    const bottom = Math.min(height_px - 1, Math.floor(y_px + radius_px))
    for (let y = Math.max(0, Math.ceil(y_px - radius_px)); y <= bottom; y += 1) {
      const reach = Math.sqrt(Math.max(0, radius_px ** 2 - (y - y_px) ** 2))
      const right = Math.min(width_px - 1, Math.floor(x_px + reach))
      for (let x = Math.max(0, Math.ceil(x_px - reach)); x <= right; x += 1) {
        const near = (reach * reach - (x - x_px) * (x - x_px)) / (radius_px * radius_px)
        const share = near * near * near
        const at = (y * width_px + x) * 4
        pixels[at] = (pixels[at] as number) + red * share
        pixels[at + 1] = (pixels[at + 1] as number) + green * share
        pixels[at + 2] = (pixels[at + 2] as number) + blue * share
      }
    }
  }
}

/** Lays what is drawn on a clear ground over an opaque one of the same size, in place. */
export function lay(rgba: Uint8Array, ground: Uint8Array): void {
  const count = rgba.length / 4
  const [over, under] = [
    new Uint32Array(rgba.buffer, rgba.byteOffset, count),
    new Uint32Array(ground.buffer, ground.byteOffset, count),
  ]
  for (let i = 0; i < count; i += 1) {
    const alpha = rgba[4 * i + 3] as number
    if (alpha === 255) continue
    if (alpha === 0) over[i] = under[i] as number
    else
      for (let at = 4 * i; at < 4 * i + 3; at += 1)
        rgba[at] = mixed(rgba[at] as number, ground[at] as number, alpha)
  }
}

function mixed(over: number, under: number, alpha: number): number {
  return under + (((over - under) * alpha) >> 8)
}

/**
 * Takes the picture: each channel through the sensor's curve, grain on top; in infrared there is one channel.
 * @param rgba    opaque pixels, four bytes each.
 * @param chance  of this capture: where its grain begins.
 * @returns three bytes per pixel.
 */
export function expose(rgba: Uint8Array, light: Light, chance: Chance): Uint8Array {
  const { curves, grain } = sensorOf(light)
  const [red, green, blue] = curves
  const isGrey = light.name === "infrared"
  const rgb = new Uint8Array((rgba.length / 4) * 3)
  let n = chance.index(grainSize)
  // Every index lies inside its table, so the loop asks nothing: it runs a million times for a picture.
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    let r = rgba[from] as number
    let g = rgba[from + 1] as number
    let b = rgba[from + 2] as number
    // A silicon sensor behind an infrared filter sees what red light comes nearest to: skin is bright, ink is not.
    if (isGrey) r = g = b = (r * 190 + g * 50 + b * 16) >> 8
    n = (n + 1) & (grainSize - 1)
    const noise = grain[n] as number
    rgb[to] = red[noise | r] as number
    rgb[to + 1] = green[noise | g] as number
    rgb[to + 2] = blue[noise | b] as number
  }
  return rgb
}
