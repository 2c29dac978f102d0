import { builtScript } from "../built-script.ts"
import { Fault } from "../fault.ts"
import { planFrom } from "../incident/plan-shape.ts"
import type { FacePlan, FaceSeen } from "../incident/face-plan.ts"
import { Pool } from "../picture/pool.ts"

export interface PlanJob {
  readonly faces: readonly FaceSeen[]
  readonly descriptors: readonly Float32Array[]
  readonly drawn: { readonly seed: string; readonly sample: number }
}

/** 20,000 faces and the pairs of them that are near. */
const memory_mb = 4096
const timeout_ms = 30 * 60_000

/**
 * `facePlan` in a process of its own, which ends with it and with the descriptors that it was given: a server that counts
 * seconds' worth of distances answers nobody meanwhile.
 * @throws Fault PICTURE where it takes longer than half an hour; BUSY; INTERNAL.
 */
export async function plannedApart(job: PlanJob): Promise<FacePlan> {
  const script = builtScript("linkage-child", import.meta.url)
  const pool = new Pool({ processes: 1, timeout_ms, memory_mb, script, givesWay: true })
  try {
    const { plan, searched } = (await pool.work(job)) as FacePlan
    const whole = planFrom(plan)
    if (whole === null) throw new Fault("INTERNAL", "the plan of a linkage has the wrong shape")
    return { plan: whole, searched }
  } finally {
    await pool.close()
  }
}
