import sharp from "sharp"
import { Fault } from "../fault.ts"
import type { Job, Reply } from "./job.ts"
import { describe, keepRegions } from "./pixels.ts"

// The process that decoder.ts starts. It has no keys, no ledger and, where the system allows, no network; it ends with
// its parent's end of the channel.

// Whatever the bytes pretend to be: loaders of other formats are shut, and of reading files by name all of them.
sharp.block({ operation: ["VipsForeignLoad"] })
sharp.unblock({
  operation: ["VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer"],
})

// An interrupt at the terminal reaches the whole group. The parent decides when a child ends, else a capture that was
// under way would count as one that does not decode.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined)

const collectAbove_bytes = 32 * 1024 * 1024

process.on("message", (job: Job) => {
  answer(job)
    .then(reply, error => {
      if (!(error instanceof Fault)) throw error
      reply({ kind: "refused", code: error.code, detail: error.message })
    })
    // Pixels lie outside the JavaScript heap, which alone decides when to collect; the memory limit counts both.
    .finally(() => process.memoryUsage().external > collectAbove_bytes && globalThis.gc?.())
})

reply({ kind: "ready" })

async function answer(job: Job): Promise<Reply> {
  const value =
    job.ask === "describe"
      ? await describe(job.picture)
      : await keepRegions(job.picture, job.level, job.findings)
  return { kind: "done", value }
}

function reply(message: Reply): void {
  process.send?.(message)
}
