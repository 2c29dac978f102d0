import { randomInt } from "node:crypto"
import { Fault } from "../fault.ts"
import type { LaneReader, Shot } from "../lane/seal.ts"
import { keepPlan, readPlan, type PlanFile } from "./canary-file.ts"
import type { CanaryPictures } from "./canary-pictures.ts"

export interface Planting {
  /** The plan's. */
  readonly file: string
  readonly reader: Pick<LaneReader, "vault" | "lane">
  readonly pictures: CanaryPictures
  /** Takes the shot as the lane takes every other; `false`: not now. */
  readonly put: (shot: Shot) => Promise<boolean>
  readonly clock: () => number
  /** Ends the wait between two. */
  readonly signal?: AbortSignal
}

export interface Planted {
  readonly planted: number
  /** Those whose time had passed, or that were not taken: they come no more. */
  readonly left_out: number
  /** When the next is due; `null`: none is left. */
  readonly next_at: string | null
}

/** Sealed later than this, it would stand out among its neighbours in the log by its hour and its id. */
const patience_ms = 60_000
/** A picture is about so old when its id is made. */
const age_ms = { least: 20, most: 200 } as const

/**
 * Plants what is due, one after the other. A canary is struck from the plan before it is sent: a crash loses one, and never
 * sends two pictures under one id, which the log would show.
 * @param wait  goes on until the plan is done, or `signal` ends it.
 * @throws Fault INVALID for the plan of another lane, and what pictures or lane throw.
 */
export async function plant(planting: Planting, wait: "wait" | "what is due"): Promise<Planted> {
  let [planted, left_out] = [0, 0]
  for (;;) {
    const plan = await planFor(planting)
    const [next, ...others] = plan.planned
    if (next === undefined) return { planted, left_out, next_at: null }
    const at_ms = Date.parse(next.at)
    const left_ms = at_ms - planting.clock()
    if (left_ms > 0) {
      if (wait !== "wait") return { planted, left_out, next_at: next.at }
      if (!(await slept(Math.min(left_ms, 3_600_000), planting.signal)))
        return { planted, left_out, next_at: next.at }
      continue
    }
    const rest = { ...plan, planned: others }
    const isPut = left_ms >= -patience_ms && (await plantOne(planting, rest, next))
    if (isPut) planted += 1
    else {
      await keepPlan(planting.file, rest)
      left_out += 1
    }
  }
}

async function planFor({ file, reader }: Planting): Promise<PlanFile> {
  const plan = await readPlan(file)
  if (plan.vault === reader.vault && plan.lane === reader.lane) return plan
  throw new Fault(
    "INVALID",
    `the plan is for ${plan.lane} (${plan.lane_name}), and the reader is of another lane`,
    {
      notDone: "No canary was planted.",
    },
  )
}

async function plantOne(
  { file, pictures, put }: Planting,
  rest: PlanFile,
  { capture, at, hour }: PlanFile["planned"][number],
): Promise<boolean> {
  const { name, picture, event } = await pictures(rest, Number(hour.slice(11, 13)))
  await keepPlan(file, name === null ? rest : { ...rest, used: [...rest.used, name] })
  const capturedAt_ms = Date.parse(at) - randomInt(age_ms.least, age_ms.most)
  return put({ picture, event, capturedAt_ms, kind: "plate", capture })
}

/** Whether the whole time passed. */
export async function slept(time_ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  if (signal?.aborted === true) return false
  return new Promise(resolve => {
    const done = (isWhole: boolean) => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", end)
      resolve(isWhole)
    }
    const end = () => done(false)
    const timer = setTimeout(() => done(true), time_ms)
    signal?.addEventListener("abort", end, { once: true })
  })
}
