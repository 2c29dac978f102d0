import type { Box } from "../picture/level.ts"
import { decode } from "../picture/pixels.ts"
import { openFaceDescriber, type FaceDescriber } from "./face-descriptor.ts"

/** What is asked of a picture: the descriptors of faces that were found in it before. */
export interface DescribeJob {
  readonly picture: Uint8Array
  /** In pixels of the oriented picture; at most `maxFaces`. */
  readonly faces: readonly Box[]
}

/** As many as the face finder gives. */
export const maxFaces = 32

export interface Described {
  /** For each face, in their order: 128 numbers, or `null` for one that is too small. */
  readonly descriptors: readonly (Float32Array | null)[]
  /** Name and SHA-256 of what described. */
  readonly model: string
  /** Processor time of decoding and describing, without starting the network. */
  readonly cpu_ms: number
}

let describer: Promise<FaceDescriber> | null = null

/** @throws Fault PICTURE and PICTURE_SIZE as the decoder; MODEL. */
export async function describe({ picture, faces }: DescribeJob): Promise<Described> {
  const network = await (describer ??= openFaceDescriber())
  const start = process.cpuUsage()
  const pixels = await decode(picture)
  const descriptors: (Float32Array | null)[] = []
  for (const face of faces.slice(0, maxFaces)) descriptors.push(await network.describe(pixels, face))
  const { user, system } = process.cpuUsage(start)
  return { descriptors, model: network.model, cpu_ms: Math.round((user + system) / 1000) }
}
