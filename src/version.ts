import { readFileSync } from "node:fs"

/** The version in package.json, which stands the folder above this file in a checkout and installed alike. */
export const version = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }
).version
