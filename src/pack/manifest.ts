import { createHash } from "node:crypto"
import { textOf } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { Member } from "./archive.ts"

/** The last member of a pack: what the others are. */
export interface Manifest {
  readonly v: 1
  readonly format: "sallyport-pack/1"
  readonly incident: string
  /** Whether every entry up to the checkpoint is in the pack; without them it cannot be seen that none was left out. */
  readonly log: "whole" | "none"
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string }
  readonly files: readonly { readonly name: string; readonly size_bytes: number; readonly sha256: string }[]
}

export const manifestName = "manifest.json"

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}

export function fileOf({ name, bytes }: Member): Manifest["files"][number] {
  return { name, size_bytes: bytes.length, sha256: sha256Of(bytes) }
}

/** The manifest of these bytes, or `null` unless they are one in canonical JSON. */
export function parseManifest(bytes: Uint8Array): Manifest | null {
  const text = textOf(bytes)
  try {
    const value = JSON.parse(text ?? "") as Partial<Manifest>
    const isOne =
      value.v === 1 &&
      value.format === "sallyport-pack/1" &&
      (value.log === "whole" || value.log === "none") &&
      typeof value.incident === "string" &&
      Array.isArray(value.files) &&
      typeof value.checkpoint === "object" &&
      canonical(value) === text
    return isOne ? (value as Manifest) : null
  } catch {
    return null
  }
}
