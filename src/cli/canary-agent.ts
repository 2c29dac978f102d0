import { Fault } from "../fault.ts"
import { canaryPictures } from "./canary-pictures.ts"
import { plant, slept, type Planting } from "./canary-planter.ts"

const again_ms = 60_000

/** Plants from a plan until the agent ends: a plan that is replaced is followed, and one that cannot be read is said once. */
export async function plantForAgent(of: {
  readonly file: string
  readonly folder: string | undefined
  readonly planting: Omit<Planting, "file" | "pictures"> & { readonly signal: AbortSignal }
}): Promise<void> {
  const { file, folder, planting } = of
  const pictures = canaryPictures(folder)
  let said = ""
  do {
    try {
      await plant({ ...planting, file, pictures }, "wait")
    } catch (error) {
      const why = error instanceof Fault ? error.message : "a canary could not be planted"
      if (why !== said) process.stderr.write(`canaries: ${why}\n`)
      said = why
    }
  } while (await slept(again_ms, planting.signal))
}
