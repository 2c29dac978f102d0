import { compare } from "./compare.ts"
import { decodeLeak, lookAtLeak } from "./leak.ts"
import { likenessesTo } from "./likeness.ts"
import { decode } from "./pixels.ts"
import { serveJobs } from "./serve.ts"
import type { Comparison, TraceJob } from "./tracer.ts"

// The process that tracer.ts starts. Found files come in formats that readers do not write.

serveJobs<TraceJob>(
  async job => {
    const leak = await decodeLeak(job.file)
    if (job.ask === "look") return lookAtLeak(leak)
    if (job.ask === "liken") return await likenessesTo(leak.pixels, job.guesses)
    const found = compare(await decode(job.original), leak.pixels, job.plates, leak.steps)
    if (found === null) return null
    const { plain, quantised, shown_px, alignment, isMirrored } = found
    return { plain, quantised, shown_px, likeness: alignment.likeness, isMirrored } satisfies Comparison
  },
  ["VipsForeignLoadHeifBuffer", "VipsForeignLoadNsgifBuffer", "VipsForeignLoadTiffBuffer"],
)
