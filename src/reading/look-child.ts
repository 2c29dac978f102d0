import { serveJobs } from "../picture/serve.ts"
import { look, type LookJob } from "./look.ts"

// The process that looker.ts starts.

serveJobs<LookJob>(look)
