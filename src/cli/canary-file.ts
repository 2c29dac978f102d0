import { readFile } from "node:fs/promises"
import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import type { CanaryPlan } from "../custody/canary-plan.ts"
import { Fault } from "../fault.ts"
import { closed, id, localHour, time } from "../log/shapes.ts"
import { writeWhole } from "../whole-file.ts"
import { assertFree } from "./keyfile.ts"

/** What is still to be planted, and the pictures that were used. Mode 0600: who reads it knows these canaries. */
const shape = closed({
  v: Type.Literal(1),
  vault: Type.String({ minLength: 1, maxLength: 255 }),
  port: id("prt"),
  lane: id("lan"),
  lane_name: Type.String({ maxLength: 80 }),
  planned: Type.Array(
    closed({
      capture: id("cap"),
      at: time,
      hour: localHour,
      beside: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]),
    }),
    { maxItems: 200 },
  ),
  /** Names within the folder of pictures: none shows two canaries. */
  used: Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 100_000 }),
})
const validator = Compile(shape)

export type PlanFile = Static<typeof shape>

/** @throws Fault CONFLICT where a file stands. */
export async function writePlan(file: string, plan: CanaryPlan): Promise<void> {
  await assertFree(file)
  await keepPlan(file, { v: 1, ...plan, planned: [...plan.planned], used: [] })
}

export async function keepPlan(file: string, plan: PlanFile): Promise<void> {
  await writeWhole(file, `${JSON.stringify(plan, null, 2)}\n`, 0o600)
}

/** @throws Fault CONFIG for what is no plan. */
export async function readPlan(file: string): Promise<PlanFile> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("CONFIG", `the plan ${file} cannot be read`, { cause })
  })
  const plan = parsed(text)
  if (!validator.Check(plan)) throw new Fault("CONFIG", `${file} is no plan: sallyport canary plan makes one`)
  return plan
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
