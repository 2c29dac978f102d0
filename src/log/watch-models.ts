import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gunzipSync, gzipSync } from "node:zlib"
import { base64, fromBase64, textOf, utf8 } from "../bytes.ts"
import { assert, Fault } from "../fault.ts"
import { parseModel, type Model, type ModelFile } from "../watch/model.ts"
import type { State } from "./state.ts"

/**
 * The models that come along, every one that a log may name: an old one stays, so that old entries replay. A bench is built one
 * folder deeper, and a process of a test into one file.
 */
const folders = ["../../models/", "../../../models/", "../models/"].map(
  path => new URL(path, import.meta.url),
)

/** The model that judges new requests where no other was put in force. */
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
        return [name, { digest: modelDigest(text), model: parseModel(text) }]
      }),
  )
  return held
}

/** Names a model: SHA-256 of its file's text, lowercase hexadecimal. */
export function modelDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}

/** Of the models that come along: digests by file name. */
export function shippedModels(): readonly { readonly file: string; readonly digest: string }[] {
  return [...shipped()].map(([file, { digest }]) => ({ file, digest }))
}

export function isShipped(digest: string): boolean {
  return shippedModels().some(each => each.digest === digest)
}

/** Those that logs held, by digest: whoever has read the entry of a model has it. */
const kept = new Map<string, Model>()
/** A log holds 256 at most, and a process may read several. */
const mostKept = 4096
const most_bytes = 1_048_576

/** The text of a model as an entry holds it. */
export function packModel(text: string): string {
  return base64(gzipSync(utf8(text), { level: 9 }))
}

/**
 * The model that an entry holds, which is known by its digest from here on.
 * @returns `null` for what is no model, or not the one with this digest.
 */
export function takeModel(digest: string, packed: string): Model | null {
  const known = kept.get(digest)
  if (known !== undefined) return known
  const text = unpacked(packed)
  if (text === null || modelDigest(text) !== digest) return null
  const model = kept.size < mostKept ? parsedModel(text) : null
  if (model === null) return null
  kept.set(digest, model)
  return model
}

function unpacked(packed: string): string | null {
  const bytes = fromBase64(packed)
  if (bytes === null) return null
  try {
    return textOf(gunzipSync(bytes, { maxOutputLength: most_bytes }))
  } catch {
    return null
  }
}

function parsedModel(text: string): Model | null {
  try {
    return parseModel(text)
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

/** The model with this digest, or `null` where none such came along and no log held it that this process has read. */
export function modelOf(digest: string): Model | null {
  for (const each of shipped().values()) if (each.digest === digest) return each.model
  return kept.get(digest) ?? null
}

/** The digest of the model that judges new requests before two people put another in force. */
export function newestModel(): string {
  const found = shipped().get(newest)
  assert(found !== undefined, "the model of the watch comes along")
  return found.digest
}

/** By which model the watch judges on this state: what two people put in force, or the one that comes along. */
export function modelInForce(state: State): string {
  return state.record("rules", "rules")?.model ?? newestModel()
}

/**
 * What an entry that names this model was judged by: with the thresholds in force. Before two people put any in force it may be
 * each that came along, since a newer program brings a newer one.
 * @returns `null` where this model is not the one in force, or is not known here.
 */
export function judgingModel(digest: string, state: State): Model | null {
  const rules = state.record("rules", "rules")
  const model = rules === null && !isShipped(digest) ? null : modelOf(digest)
  if (model === null || (rules !== null && rules.model !== digest)) return null
  return rules === null ? model : withThresholds(model, rules.thresholds)
}

/** The same model with other thresholds. */
export function withThresholds(model: Model, thresholds: ModelFile["thresholds"]): Model {
  return { ...model, file: { ...model.file, thresholds } }
}
