import { Fault } from "../fault.ts"
import type { Look } from "../reading/look-shape.ts"
import type { LookJob } from "../reading/look.ts"
import type { Looker } from "../reading/looker.ts"
import type { DescribeJob, Described } from "../reading/describe.ts"
import type { Describer } from "../reading/describer.ts"

/** Waits before each further try, while the picture is held: a permit is spent already. */
const pauses_ms = [500, 2000, 8000] as const

/**
 * Looks at a picture, and again after a while when no finder was free or none started: that says nothing of the picture.
 * @throws Fault as `Looker.look`; BUSY and INTERNAL once patience ends.
 */
export function lookPatiently(looker: Pick<Looker, "look">, job: LookJob): Promise<Look> {
  return patiently(() => looker.look(job))
}

/** The same of faces; `null` for a picture that does not decode within the limits. */
export async function describedPatiently(describer: Describer, job: DescribeJob): Promise<Described | null> {
  try {
    return await patiently(() => describer.describe(job))
  } catch (error) {
    if (error instanceof Fault && (error.code === "PICTURE" || error.code === "PICTURE_SIZE")) return null
    throw error
  }
}

/** Does it again after a while where no child was free or none started. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const pause_ms of pauses_ms) {
    try {
      return await work()
    } catch (error) {
      const passes = error instanceof Fault && (error.code === "BUSY" || error.code === "INTERNAL")
      if (!passes) throw error
      await new Promise(resolve => setTimeout(resolve, pause_ms))
    }
  }
  return work()
}
