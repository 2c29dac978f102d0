import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert } from "../fault.ts"
import { parseModel, type Model } from "../watch/model.ts"

/**
 * The models that come along, every one that a log may name: an old one stays, so that old entries replay. A bench is built one
 * folder deeper, and a process of a test into one file.
 */
const folders = ["../../models/", "../../../models/", "../models/"].map(
  path => new URL(path, import.meta.url),
)

/** The model that judges new requests. */
const newest = "watch.json"

interface Shipped {
  readonly digest: string
  readonly model: Model
}

let held: ReadonlyMap<string, Shipped> | null = null

/** Read once, at the first judgement: other commands need none of them. */
function shipped(): ReadonlyMap<string, Shipped> {
  if (held !== null) return held
  const folder = folders.find(each => existsSync(each))
  assert(folder !== undefined, "the models of the watch come along")
  held = new Map(
    readdirSync(fileURLToPath(folder))
      .filter(name => /^watch[a-z0-9-]*\.json$/.test(name))
      .map(name => {
        const text = readFileSync(new URL(name, folder), "utf8")
        return [name, { digest: createHash("sha256").update(text).digest("hex"), model: parseModel(text) }]
      }),
  )
  return held
}

/** The model with this digest (SHA-256 of its file, lowercase hexadecimal), or `null` where none such came along. */
export function modelOf(digest: string): Model | null {
  for (const each of shipped().values()) if (each.digest === digest) return each.model
  return null
}

/** The digest of the model that judges new requests. */
export function newestModel(): string {
  const found = shipped().get(newest)
  assert(found !== undefined, "the model of the watch comes along")
  return found.digest
}
