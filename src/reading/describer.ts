import { builtScript } from "../built-script.ts"
import { Fault } from "../fault.ts"
import { checkBytes } from "../picture/format.ts"
import { Pool } from "../picture/pool.ts"
import { maxFaces, type DescribeJob, type Described } from "./describe.ts"
import { descriptorSize } from "./face-descriptor.ts"
import type { LookerOptions } from "./looker.ts"

/**
 * Describes faces in child processes like the looker's. A descriptor is biometric data: it is for one run under a permit,
 * is given back in memory alone, and whoever asked overwrites it with `forget` when the run is over.
 */
export interface Describer {
  /**
   * @throws Fault INVALID for more faces than one picture may have; PICTURE, PICTURE_SIZE, MODEL, BUSY and INTERNAL as the
   * looker.
   */
  describe(job: DescribeJob): Promise<Described>
  /** Ends the children, and what they hold with them; what is under way or waiting is refused with BUSY. */
  close(): Promise<void>
}

export function openDescriber(options: LookerOptions): Describer {
  const pool = new Pool({
    ...options,
    script: builtScript("describe-child", import.meta.url),
    givesWay: true,
  })
  return {
    async describe(job) {
      checkBytes(job.picture)
      if (job.faces.length > maxFaces) throw new Fault("INVALID", `one picture has at most ${maxFaces} faces`)
      const described = describedOf(await pool.work(job), job.faces.length)
      if (described === null) throw new Fault("INTERNAL", "the descriptors have the wrong shape")
      return described
    },
    close: () => pool.close(),
  }
}

/** Overwrites descriptors: nothing of them is to be found in memory that is used again. */
export function forget(descriptors: readonly (Float32Array | null)[]): void {
  for (const each of descriptors) each?.fill(0)
}

/** A child that a picture took over may send anything. */
function describedOf(value: unknown, faces: number): Described | null {
  if (typeof value !== "object" || value === null) return null
  const { descriptors, model, cpu_ms } = value as Partial<Described>
  const isWhole =
    Array.isArray(descriptors) &&
    descriptors.length === faces &&
    descriptors.every(isDescriptor) &&
    typeof model === "string" &&
    model.length <= 256 &&
    typeof cpu_ms === "number"
  return isWhole ? { descriptors, model, cpu_ms } : null
}

function isDescriptor(value: unknown): value is Float32Array | null {
  if (value === null) return true
  return value instanceof Float32Array && value.length === descriptorSize && value.every(Number.isFinite)
}
