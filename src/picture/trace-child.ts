import { compareTo, sightOf } from "./compare.ts"
import { decodeLeak, lookAtLeak, type Leak } from "./leak.ts"
import { likenessesTo } from "./likeness.ts"
import { decode } from "./pixels.ts"
import { serveJobs } from "./serve.ts"
import type { Comparison, FoundFile, TraceJob } from "./tracer.ts"

// The process that tracer.ts starts. Found files come in formats that readers do not write.

/** The file that was asked about last, since it is asked about several times. */
let last: (FoundFile & { readonly leak: Leak }) | null = null

async function leakOf({ file, isNegative }: FoundFile): Promise<Leak> {
  if (last !== null && last.isNegative === isNegative && Buffer.compare(last.file, file) === 0)
    return last.leak
  last = null
  const leak = await decodeLeak(file, { isNegative })
  last = { file, isNegative, leak }
  return leak
}

serveJobs<TraceJob>(
  async job => {
    const leak = await leakOf(job)
    if (job.ask === "look") return lookAtLeak(leak)
    if (job.ask === "liken") return await likenessesTo(leak.pixels, job.guesses)
    const sight = sightOf(await decode(job.original), job.plates)
    const found = compareTo(sight, leak.pixels, leak.steps, job.guesses)
    if (found === null) return null
    const { plain, even, quantised, shown_px, alignment, isMirrored } = found
    return {
      ...{ plain, even, quantised, shown_px, likeness: alignment.likeness, isMirrored },
    } satisfies Omit<Comparison, "isNegative">
  },
  ["VipsForeignLoadHeifBuffer", "VipsForeignLoadNsgifBuffer", "VipsForeignLoadTiffBuffer"],
)
