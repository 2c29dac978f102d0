import { lumaOf, planeOf, type Plane } from "../src/mark/plane.ts"
import type { Box } from "../src/picture/level.ts"
import type { Pixels } from "../src/picture/pixels.ts"
import { cut } from "./mark-pictures.ts"

export interface Quality {
  readonly psnr_db: number
  readonly ssim: number
}

const radius = 5
const gauss = (() => {
  const values = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * 1.5 ** 2)),
  )
  const sum = values.reduce((all, each) => all + each, 0)
  return values.map(value => value / sum)
})()

/** Of luma, over the box. SSIM with windows of 11 × 11, σ 1.5. Source: Wang et al. 2004, §III-B. */
export function qualityOf(one: Pixels, other: Pixels, box: Box): Quality {
  const [a, b] = [lumaOf(cut(one, box)), lumaOf(cut(other, box))]
  const squares = a.values.reduce((sum, value, i) => sum + (value - b.values[i]!) ** 2, 0)
  return { psnr_db: 10 * Math.log10((255 ** 2 * a.values.length) / squares), ssim: ssimOf(a, b) }
}

function ssimOf(a: Plane, b: Plane): number {
  const product = (x: Plane, y: Plane): Plane => ({
    ...x,
    values: x.values.map((value, i) => value * y.values[i]!),
  })
  const [ma, mb, aa, bb, ab] = [a, b, product(a, a), product(b, b), product(a, b)].map(blurred) as [
    Plane,
    Plane,
    Plane,
    Plane,
    Plane,
  ]
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2]
  let sum = 0
  let count = 0
  for (let y = radius; y < a.height_px - radius; y += 1) {
    for (let x = radius; x < a.width_px - radius; x += 1) {
      const i = y * a.width_px + x
      const [p, q] = [ma.values[i]!, mb.values[i]!]
      const [va, vb, cov] = [aa.values[i]! - p * p, bb.values[i]! - q * q, ab.values[i]! - p * q]
      sum += ((2 * p * q + c1) * (2 * cov + c2)) / ((p * p + q * q + c1) * (va + vb + c2))
      count += 1
    }
  }
  return sum / count
}

/** Only pixels whose whole window is there are right. */
function blurred({ values, width_px, height_px }: Plane): Plane {
  const [rows, all] = [planeOf(width_px, height_px), planeOf(width_px, height_px)]
  for (let i = radius; i < values.length - radius; i += 1)
    for (let n = -radius; n <= radius; n += 1) rows.values[i]! += gauss[n + radius]! * values[i + n]!
  for (let i = radius * width_px; i < values.length - radius * width_px; i += 1)
    for (let n = -radius; n <= radius; n += 1)
      all.values[i]! += gauss[n + radius]! * rows.values[i + n * width_px]!
  return all
}
