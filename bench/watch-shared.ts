import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { readLog } from "../src/cli/request-log.ts"
import { readTruth, scoreOf } from "../src/cli/watch-score.ts"
import { Courses } from "../src/watch/courses.ts"
import type { Model } from "../src/watch/model.ts"
import { Replay } from "../src/watch/replay.ts"
import type { Course } from "../src/watch/train.ts"

/** The logs of another generator, which lie beside the project where it is developed. They are read, never learned from by what ships. */

export const sharedHonest = ["honest-1", "honest-2", "honest-3"]
export const sharedAttacks = ["smash-501", "visits2019-501", "slow50-501", "enumerate-501", "collude-501"]

const fileOf = (name: string) =>
  fileURLToPath(new URL(`../../../shared/data/access-requests/${name}.jsonl.gz`, import.meta.url))

export const hasShared = () => existsSync(fileOf("honest-1"))

export interface SharedRun {
  readonly name: string
  readonly vendorDays: number
  /** Requests of a day on which a person asked for something. */
  readonly perDay: readonly number[]
  readonly stepUps: number
  readonly suspended: number
  readonly leaked: number
  readonly caught: string
}

export async function sharedRun(name: string, model: Model): Promise<SharedRun> {
  const file = fileOf(name)
  const replay = new Replay({ model, layers: "watch alone", orders: "known" })
  const given: boolean[] = []
  const days = new Map<string, number>()
  for await (const { line } of readLog(file)) {
    if (line.k === "principal") replay.person(line.principal, line.organization, line.zone_h)
    if (line.k === "wo") replay.order(line.order)
    if (line.k !== "req") continue
    const { principal, at_ms } = line.request
    const day = `${principal} ${Math.floor(at_ms / 86_400_000)}`
    days.set(day, (days.get(day) ?? 0) + 1)
    given.push(replay.request(line.request, given.length).isGiven)
  }
  const { attackers, leaked, honest } = scoreOf(replay.people(), await readTruth(file), given)
  return {
    name,
    vendorDays: replay.vendorDays,
    perDay: [...days.values()],
    stepUps: honest.step_ups,
    suspended: honest.suspended,
    leaked,
    caught: `${attackers.filter(({ suspended }) => suspended).length} of ${attackers.length}`,
  }
}

export async function sharedCourses(name: string): Promise<Course[]> {
  const courses = new Courses(name)
  for await (const { line } of readLog(fileOf(name))) {
    if (line.k === "principal") courses.person(line.principal, line.zone_h)
    if (line.k === "wo") courses.order(line.order)
    if (line.k === "req") courses.request(line.request)
  }
  return courses.all()
}
