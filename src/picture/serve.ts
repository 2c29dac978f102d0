import sharp from "sharp"
import { Fault } from "../fault.ts"
import type { Reply } from "./job.ts"

const collectAbove_bytes = 32 * 1024 * 1024

/**
 * Makes this process a child of a pool: it answers one job after the other and ends with its parent's end of the channel.
 * It has no keys, no ledger and, where the system allows, no network.
 * @param formats  loaders of libvips beside those of JPEG, PNG and WebP.
 * @param answer  gives a job's value; a Fault that it throws is the refusal, anything else ends the process.
 */
export function serveJobs<Job>(
  answer: (job: Job) => Promise<unknown>,
  formats: readonly string[] = [],
): void {
  // Whatever the bytes pretend to be: loaders of other formats are shut, and of reading files by name all of them.
  sharp.block({ operation: ["VipsForeignLoad"] })
  sharp.unblock({
    operation: [
      ...["VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer"],
      ...formats,
    ],
  })
  // An interrupt at the terminal reaches the whole group. The parent decides when a child ends, else a capture that was
  // under way would count as one that does not decode.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined)
  process.on("message", (job: Job) => {
    answer(job)
      .then(
        value => reply({ kind: "done", value }),
        error => {
          if (!(error instanceof Fault)) throw error
          reply({ kind: "refused", code: error.code, detail: error.message })
        },
      )
      // Pixels lie outside the JavaScript heap, which alone decides when to collect; the memory limit counts both.
      .finally(() => process.memoryUsage().external > collectAbove_bytes && globalThis.gc?.())
  })
  reply({ kind: "ready" })
}

function reply(message: Reply): void {
  process.send?.(message)
}
