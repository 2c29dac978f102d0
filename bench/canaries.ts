import { createHmac } from "node:crypto"
import { fileURLToPath } from "node:url"
import { readFile } from "node:fs/promises"
import { families, type Family } from "../src/drawing/traffic/attacks.ts"
import { drawHonest, usualTraffic, withAttack, type Traffic } from "../src/drawing/traffic/traffic.ts"
import { parseModel } from "../src/watch/model.ts"
import { Replay } from "../src/watch/replay.ts"

/**
 * How many images outside of his orders somebody takes before the first canary, and how often honest people meet one: measured on
 * drawn traffic, where each image that no order of that person names is a canary with a probability of ρ. Nothing is asserted.
 */

const shares = [0.01, 0.02] as const
const attackSeeds = 12
const honestSeeds = 8
const model = parseModel(
  await readFile(fileURLToPath(new URL("../../models/watch.json", import.meta.url)), "utf8"),
)

const chanceOf = (key: string, image: number) =>
  createHmac("sha256", key).update(String(image)).digest().readUInt32BE() / 2 ** 32

/** Whether an image is named by an order of that person. */
function ordered({ orders }: Traffic): (principal: number, image: number, cell: number) => boolean {
  const named = new Set<string>()
  for (const { principal, manifest, cells } of orders) {
    if (manifest.length === 0) for (const cell of cells) named.add(`${principal} cell ${cell}`)
    for (const image of manifest) named.add(`${principal} ${image}`)
  }
  return (principal, image, cell) =>
    named.has(`${principal} ${image}`) || named.has(`${principal} cell ${cell}`)
}

/** The attack's distinct images outside of orders, in order, each with whether its account was stopped before. */
function reaches(
  base: Traffic,
  family: Family,
): readonly { readonly image: number; readonly isStopped: boolean }[] {
  const traffic = withAttack(base, { family, firstDay: 30, account: "any" })
  const isOrdered = ordered(traffic)
  const attack = [...traffic.requests.entries()].filter(([, { isAttack }]) => isAttack)
  const organization = attack[0]?.[1].organization ?? 0
  const replay = new Replay({ model, layers: "watch alone", orders: "known" })
  const isIn = (each: { readonly organization: number }) => each.organization === organization
  for (const { principal, organization: of, zone_h } of traffic.world.people.filter(isIn))
    replay.person(principal, of, zone_h)
  for (const order of traffic.orders.filter(isIn)) replay.order(order)
  for (const [seq, request] of traffic.requests.entries()) if (isIn(request)) replay.request(request, seq)
  const stopped = new Map(replay.people().map(each => [each.principal, each.suspended_seq ?? Infinity]))
  const seen = new Set<number>()
  return attack.flatMap(([seq, { principal, image, cell, exists }]) => {
    if (!exists || seen.has(image) || isOrdered(principal, image, cell)) return []
    seen.add(image)
    return [{ image, isStopped: seq > (stopped.get(principal) ?? Infinity) }]
  })
}

const quantile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0

const runs: { readonly seed: string; readonly all: ReturnType<typeof reaches> }[] = []
for (let nth = 1; nth <= attackSeeds; nth += 1) {
  const seed = `attack ${nth}`
  const base = drawHonest({ seed, ...usualTraffic })
  for (const family of families) runs.push({ seed: `${seed} ${family}`, all: reaches(base, family) })
}
const keys = Array.from({ length: 20 }, (_, i) => `canaries ${i}`)
const firsts = shares.map(share => {
  const hits: number[] = []
  let [caught, tried] = [0, 0]
  for (const { seed, all } of runs)
    for (const key of keys) {
      const at = all.findIndex(({ image }) => chanceOf(`${key} ${seed}`, image) < share)
      // Only attacks that go on long enough can show how long it takes.
      if (all.length >= 1000) hits.push(at < 0 ? all.length : at + 1)
      tried += 1
      if (at >= 0 && all[at]?.isStopped === false) caught += 1
    }
  return { share, hits, caught, tried }
})

let vendorDays = 0
const met = shares.map(() => 0)
for (let nth = 1; nth <= honestSeeds; nth += 1) {
  const seed = `honest ${nth}`
  const traffic = drawHonest({ seed, ...usualTraffic })
  const isOrdered = ordered(traffic)
  vendorDays += new Set(
    traffic.requests.map(each => `${each.principal} ${Math.floor(each.at_ms / 86_400_000)}`),
  ).size
  for (const { principal, image, cell, exists } of traffic.requests) {
    if (!exists || isOrdered(principal, image, cell)) continue
    for (const [i, share] of shares.entries()) if (chanceOf(seed, image) < share) met[i] = (met[i] ?? 0) + 1
  }
}

for (const [i, { share, hits, caught, tried }] of firsts.entries())
  console.log(
    [
      `ρ ${100 * share} %: mean 1/ρ = ${Math.round(1 / share)}, 95 % ln(.05)/ln(1−ρ) = ${Math.round(Math.log(0.05) / Math.log(1 - share))}`,
      `measured over ${hits.length} draws: mean ${(hits.reduce((a, b) => a + b, 0) / hits.length).toFixed(0)}, median ${quantile(hits, 0.5)}, 95 % ${quantile(hits, 0.95)}`,
      `touched before the watch stopped the account: ${caught} of ${tried} (${((100 * caught) / tried).toFixed(1)} %)`,
      `honest touches: ${met[i]} in ${vendorDays} vendor-days = ${((1000 * (met[i] ?? 0)) / vendorDays).toFixed(2)} per 1,000`,
    ].join("; "),
  )
