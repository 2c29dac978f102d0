import type { Job } from "./job.ts"
import { describe, keepRegions } from "./pixels.ts"
import { serveJobs } from "./serve.ts"

// The process that decoder.ts starts.

serveJobs<Job>(job =>
  job.ask === "describe"
    ? describe(job.picture)
    : keepRegions(job.picture, job.extent, job.findings, job.marking),
)
