import { Fault } from "../fault.ts"
import type { Look } from "../reading/look-shape.ts"
import type { LookJob } from "../reading/look.ts"
import type { Looker } from "../reading/looker.ts"

/** Waits before each further try, while the picture is held: a permit is spent already. */
const pauses_ms = [500, 2000, 8000] as const

/**
 * Looks at a picture, and again after a while when no finder was free or none started: that says nothing of the picture.
 * @throws Fault as `Looker.look`; BUSY and INTERNAL once patience ends.
 */
export async function lookPatiently(looker: Pick<Looker, "look">, job: LookJob): Promise<Look> {
  for (const pause_ms of pauses_ms) {
    try {
      return await looker.look(job)
    } catch (error) {
      const passes = error instanceof Fault && (error.code === "BUSY" || error.code === "INTERNAL")
      if (!passes) throw error
      await new Promise(resolve => setTimeout(resolve, pause_ms))
    }
  }
  return looker.look(job)
}
