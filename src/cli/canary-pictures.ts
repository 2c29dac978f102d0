import { randomBytes, randomInt } from "node:crypto"
import { readFile } from "node:fs/promises"
import { drawCapture } from "../drawing/capture.ts"
import { Fault } from "../fault.ts"
import { readFolder } from "../lane/folder.ts"
import type { Shot } from "../lane/seal.ts"
import type { PlanFile } from "./canary-file.ts"

/** The port of the demo: the same at each start, and behind canaries that are drawn. */
export const demoScene = "demo"

/** A picture of no crossing. */
export interface CanaryPicture extends Pick<Shot, "picture" | "event"> {
  /** Within the folder; `null`: it was drawn. */
  readonly name: string | null
}

export type CanaryPictures = (plan: PlanFile, hour: number) => Promise<CanaryPicture>

/**
 * Pictures that a site staged, each for one canary; without a folder such as the drawn port's lane makes, by the lane's own number
 * where its name ends with one. At a real site a drawn picture is told from the others by whoever looks at it.
 * @throws Fault NOT_FOUND where every picture of the folder shows a canary already.
 */
export function canaryPictures(folder: string | undefined): CanaryPictures {
  return folder === undefined ? drawn : plan => staged(folder, plan)
}

async function staged(folder: string, { used }: PlanFile): Promise<CanaryPicture> {
  const { pictures } = await readFolder(folder)
  const left = pictures.filter(({ name }) => !used.includes(name))
  const taken = left.length === 0 ? undefined : left[randomInt(left.length)]
  if (taken === undefined)
    throw new Fault(
      "NOT_FOUND",
      `each of the ${pictures.length} pictures of ${folder} shows a canary already`,
      {
        notDone: "No further canary was planted.",
        next: "more pictures in that folder: two canaries of one picture would give each other away",
      },
    )
  return { picture: await readFile(taken.file), event: taken.event, name: taken.name }
}

async function drawn({ lane_name }: PlanFile, hour: number): Promise<CanaryPicture> {
  const lane = Number(/([1-9]\d{0,2})\s*$/.exec(lane_name)?.[1] ?? 1)
  const seed = randomBytes(16).toString("hex")
  const { picture, plate, faces } = await drawCapture({ seed, lane, hour, index: 0, scene: demoScene })
  return { picture, event: { v: 1, source: "drawn", file: null, plates: [plate], faces }, name: null }
}
