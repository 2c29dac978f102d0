import { builtScript } from "../built-script.ts"
import { Fault } from "../fault.ts"
import { checkBytes } from "../picture/format.ts"
import { Pool } from "../picture/pool.ts"
import { lookOf, type Look } from "./look-shape.ts"
import type { LookJob } from "./look.ts"

/**
 * Looks at pictures, which vendors choose, in child processes that have nothing to lose: without keys, ledger or
 * network, limited in time and memory. They give way: an admission does not wait for an examination. What stays of a picture stays in their memory, for a minute after their last job.
 */
export interface Looker {
  /**
   * @throws Fault PICTURE for what is no picture, does not decode, or takes its child down or longer than the limit;
   * PICTURE_SIZE; MODEL; BUSY when too many wait or the looker is closed; INTERNAL when no child starts.
   */
  look(job: LookJob): Promise<Look>
  /** Ends the children; what is under way or waiting is refused with BUSY. */
  close(): Promise<void>
}

export interface LookerOptions {
  /** Children that work at the same time, 1 to 16: one for each core that may be spent. */
  readonly processes: number
  /** From handing a picture to a child until its answer, with the loading of the networks: at least 20,000 is wise. */
  readonly timeout_ms: number
  /** Private memory of one child; see `lookMemory_mb`. */
  readonly memory_mb: number
}

/**
 * Private memory that every picture within `pictureLimits` fits into: 768 is too little for 50 megapixels, 1,024 is
 * enough. Resident were 545 MB for a picture of 1 megapixel, plates and faces, and 775 for 50 (measured).
 */
export const lookMemory_mb = 1280

export function openLooker(options: LookerOptions): Looker {
  const pool = new Pool({ ...options, script: builtScript("look-child", import.meta.url), givesWay: true })
  return {
    async look(job) {
      checkBytes(job.picture)
      const look = lookOf(await pool.work(job))
      if (look === null) throw new Fault("INTERNAL", "the look has the wrong shape")
      return look
    },
    close: () => pool.close(),
  }
}
