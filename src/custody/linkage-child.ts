import { facePlan } from "../incident/face-plan.ts"
import { serveJobs } from "../picture/serve.ts"
import type { PlanJob } from "./linkage-planner.ts"

// The process that linkage-planner.ts starts.

serveJobs<PlanJob>(async ({ faces, descriptors, drawn }) => facePlan(faces, descriptors, drawn))
