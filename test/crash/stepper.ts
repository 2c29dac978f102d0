import { openHouse } from "../../src/sallyport.ts"
import { enrolled, type Role } from "../port.ts"
import { chanceOf, step, type SteppedPort, type Stepping } from "./steps.ts"

/** A process of its own that works with the vault at random, as its parent says; ended by kill -9 as well. */

export interface StepperOptions {
  readonly data: string
  readonly seeds: Readonly<Record<Role, { readonly person: string; readonly seed: string }>>
  readonly port: Pick<SteppedPort, "contract" | "lane" | "reader">
  readonly captures: readonly string[]
  readonly dates: Stepping["dates"]
  readonly chanceSeed: number
  readonly offset_ms: number
  readonly steps: number
}

/** Between the processes: grants and clocks go both ways. */
export type Said =
  | { readonly grant: string }
  | { readonly jump_ms: number }
  | { readonly offset_ms: number }
  | { readonly done: number; readonly tally: readonly (readonly [string, number])[] }

const atOnce = 8

async function main(options: StepperOptions): Promise<void> {
  const clock = { offset_ms: options.offset_ms }
  const opened = await openHouse({ data: options.data, clock: () => Date.now() + clock.offset_ms })
  if (opened.fsck.problems.length > 0) throw new Error(JSON.stringify(opened.fsck.problems))
  const people = Object.fromEntries(
    Object.entries(options.seeds).map(([role, { person, seed }]) => [
      role,
      enrolled(person, Buffer.from(seed, "base64")),
    ]),
  ) as SteppedPort["people"]
  const say = (said: Said) => process.send?.(said)
  const stepping: Stepping = {
    port: { ...options.port, house: opened.house, people, clock },
    captures: options.captures,
    dates: options.dates,
    chance: chanceOf(options.chanceSeed),
    grants: [],
    tally: new Map(),
    share: grant => say({ grant }),
    jump: jump_ms => say({ jump_ms }),
  }
  process.on("message", (said: Said) => {
    if ("grant" in said) stepping.grants.push(said.grant)
    if ("offset_ms" in said) clock.offset_ms = said.offset_ms
  })
  let told = 0
  for (let done = 0; done < options.steps; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => step(stepping)))
    told += atOnce
    if (told < 200 && done + atOnce < options.steps) continue
    say({ done: told, tally: [...stepping.tally] })
    stepping.tally.clear()
    told = 0
    if (stepping.grants.length > 64) stepping.grants.splice(0, stepping.grants.length - 64)
  }
  await opened.close()
  process.disconnect()
}

await main(JSON.parse(process.argv[2] ?? "") as StepperOptions)
