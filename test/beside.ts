import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** A file of the data that lies beside the project, never in it; tests that need it say so when they skip. */
export function sharedData(path: string): string {
  return fileURLToPath(new URL(`../../shared/data/${path}`, import.meta.url))
}

/** Whether that data is there. */
export function hasShared(path = ""): boolean {
  return existsSync(sharedData(path))
}
