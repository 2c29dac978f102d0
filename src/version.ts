import { existsSync, readFileSync } from "node:fs"

/** package.json stands above this file's folder: one step in a checkout and installed, two where the bench is built. */
const file = ["../package.json", "../../package.json"]
  .map(path => new URL(path, import.meta.url))
  .find(url => existsSync(url))

/** The version in package.json. */
export const version =
  file === undefined ? "0" : (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version
