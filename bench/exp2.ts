import { readdirSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { chacha20 } from "@noble/ciphers/chacha.js"
import { attacks } from "../test/attacks.ts"
import { biasesOf, chipsOf } from "../src/mark/code.ts"
import { embed } from "../src/mark/embed.ts"
import { gridOf } from "../src/mark/lapped.ts"
import { log10Bound, scoreOf } from "../src/mark/score.ts"
import { compare } from "../src/picture/compare.ts"
import { decode, type Pixels } from "../src/picture/pixels.ts"
import { stepsOf } from "../src/mark/quantiser.ts"
import sharp from "sharp"

const dir = "../shared/data/plates/"
const files = (readdirSync(dir, { recursive: true }) as string[]).filter(f => /jpe?g|png/i.test(f)).sort()
const pick = Number(process.env.N ?? 4)
const off = Number(process.env.OFF ?? 3)
const db = Number(process.env.DB ?? 44)
const chosen = files.filter((_, i) => i % Math.floor(files.length / pick) === off).slice(0, pick)
const key = (n: number) => chacha20(new Uint8Array(32).fill(n), new Uint8Array(12), new Uint8Array(32))
const only = process.env.A?.split(";")
const names = Object.keys(attacks).filter(n => !only || only.includes(n))
const table: Record<string, string[]> = Object.fromEntries(names.map(n => [n, []]))
const stat: Record<string, number[]> = Object.fromEntries(names.map(n => [n, []]))
let innocents = 0,
  most = 0
const decodeLeak = async (b: Uint8Array): Promise<Pixels> => {
  const { data, info } = await sharp(b)
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const rgb =
    info.channels === 3
      ? data
      : Uint8Array.from(
          { length: info.width * info.height * 3 },
          (_, i) => data[Math.floor(i / 3) * info.channels]!,
        )
  return { rgb, width_px: info.width, height_px: info.height }
}
for (const [n, file] of chosen.entries()) {
  let original = await decode(await readFile(dir + file))
  const grid = gridOf(original)
  const biases = biasesOf(key(1 + n), grid.count)
  const chips = chipsOf(key(101 + n), biases)
  const copy = { ...original, rgb: Uint8Array.from(original.rgb) }
  const kept = new Uint8Array(original.width_px * original.height_px).fill(1)
  embed(original, copy, { codeword: { biases, chips }, kept, psnr_db: db })
  for (const name of names) {
    const bytes = await attacks[name]!(copy, file)
    const leak = await decodeLeak(bytes)
    const c0 = process.cpuUsage()
    const c = compare(original, leak, [], stepsOf(bytes))
    const c1 = process.cpuUsage(c0)
    if (c === null) {
      table[name]!.push("–")
      stat[name]!.push(0)
      continue
    }
    const tOf = (e: Float32Array) => {
      const { sum, variance } = scoreOf(e, { biases, chips })
      return sum / Math.sqrt(variance)
    }
    const t1 = tOf(c.plain),
      t2 = c.quantised ? tOf(c.quantised) : 0
    const t = Math.max(t1, t2)
    for (let i = 0; i < 20; i += 1) {
      const s = scoreOf(c.plain, { biases, chips: chipsOf(key(200 + (innocents % 50)), biases) })
      most = Math.max(most, s.sum / Math.sqrt(s.variance))
      innocents += 1
    }
    table[name]!.push(
      `${t1.toFixed(1)}${t2 ? "/" + t2.toFixed(1) : ""}${process.env.V ? `(${(c.shown_px / 1000).toFixed(0)}k ${c.alignment.likeness.toFixed(2)} ${((c1.user + c1.system) / 1000).toFixed(0)}ms)` : ""}`,
    )
    stat[name]!.push(t)
  }
  console.error(file, original.width_px, original.height_px)
}
for (const name of names)
  console.log(name.padEnd(24), table[name]!.join("  "), " min", Math.min(...stat[name]!).toFixed(1))
console.log("innocents", innocents, "most", most.toFixed(2))
