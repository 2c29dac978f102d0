import { builtScript } from "../built-script.ts"
import { Fault } from "../fault.ts"
import type { Extent } from "../grant/level.ts"
import { checkBytes } from "./format.ts"
import { copyOf, descriptionOf, type Job } from "./job.ts"
import type { Findings } from "./level.ts"
import type { Copy, Description, Marking } from "./pixels.ts"
import { Pool } from "./pool.ts"

/**
 * Decodes pictures, which vendors choose, in processes that have nothing to lose.
 * Both calls refuse as their namesakes in pixels.ts, and with PICTURE where the picture takes its child down or takes
 * longer than the limit; BUSY when too many wait or the decoder is closed; BUSY too when no child starts in time.
 */
export interface Decoder {
  describe(picture: Uint8Array): Promise<Description>
  keepRegions(
    picture: Uint8Array,
    extent: Extent,
    findings: Findings | null,
    marking: Marking | null,
  ): Promise<Copy>
  /** Ends the children; what is under way or waiting is refused with BUSY. */
  close(): Promise<void>
}

export interface DecoderOptions {
  /** Children that work at the same time, 1 to 16; each starts with its first job and holds about 85 MB until a minute after its last. */
  readonly processes: number
  /** From handing a picture to a child until its answer. */
  readonly timeout_ms: number
  /** Private memory of one child, at least 256; the largest pictures that `pictureLimits` allows need 1,024. */
  readonly memory_mb: number
}

export function openDecoder(options: DecoderOptions): Decoder {
  const pool = new Pool({ ...options, script: builtScript("child", import.meta.url), givesWay: false })
  return {
    async describe(picture) {
      checkBytes(picture)
      return wellFormed(descriptionOf(await pool.work({ ask: "describe", picture } satisfies Job), picture))
    },
    async keepRegions(picture, extent, findings, marking) {
      checkBytes(picture)
      return wellFormed(
        copyOf(
          await pool.work({ ask: "keepRegions", picture, extent, findings, marking } satisfies Job),
          extent.level,
        ),
      )
    },
    close: () => pool.close(),
  }
}

function wellFormed<T>(answer: T | null): T {
  if (answer === null) throw new Fault("INTERNAL", "the decoder's answer has the wrong shape")
  return answer
}
