import { serveJobs } from "../picture/serve.ts"
import { describe, type DescribeJob } from "./describe.ts"

// The process that describer.ts starts.

serveJobs<DescribeJob>(describe)
