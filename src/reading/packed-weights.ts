import { Fault } from "../fault.ts"
import type { Weights } from "./onnx-graph.ts"

/** Weights as TensorFlow.js packs them: a manifest, and the numbers of all layers one after the other. */
interface Packed {
  readonly name: string
  readonly shape: readonly number[]
  /** Of weights in single bytes; those without are floats. */
  readonly quantization?: { readonly scale: number; readonly min: number }
}

/**
 * The weights by name, in the order and the encoding of TensorFlow.js: value = byte × scale + min, or a float of 32 bits.
 * @throws Fault MODEL when there are more or fewer bytes than the manifest names.
 */
export function unpacked(manifest: Uint8Array, bytes: Uint8Array): ReadonlyMap<string, Weights> {
  const [group] = JSON.parse(new TextDecoder().decode(manifest)) as [{ weights: readonly Packed[] }]
  const all = new Map<string, Weights>()
  let at = 0
  for (const { name, shape, quantization } of group.weights) {
    const count = shape.reduce((product, side) => product * side, 1)
    // A copy of its own, since floats must begin at a multiple of four.
    const packed = new Uint8Array(bytes.subarray(at, (at += quantization === undefined ? 4 * count : count)))
    const data =
      quantization === undefined
        ? new Float32Array(packed.buffer, 0, Math.floor(packed.length / 4))
        : Float32Array.from(packed, value => value * quantization.scale + quantization.min)
    all.set(name, { name, shape, data })
  }
  if (at !== bytes.length) throw new Fault("MODEL", "the network's weights have another length")
  return all
}

/** From [height, width, in, out] to ONNX's [out, in, height, width]. */
export function outputFirst({ name, shape, data }: Weights): Weights {
  const [height = 0, width = 0, ins = 0, outs = 0] = shape
  const turned = new Float32Array(data.length)
  let at = 0
  for (let o = 0; o < outs; o += 1)
    for (let i = 0; i < ins; i += 1)
      for (let p = 0; p < height * width; p += 1) turned[at++] = data[(p * ins + i) * outs + o] ?? 0
  return { name, shape: [outs, ins, height, width], data: turned }
}

/** From [height, width, in, 1] to [in, 1, height, width]. */
export function depthFirst({ name, shape, data }: Weights): Weights {
  const [height = 0, width = 0, ins = 0] = shape
  const { data: turned } = outputFirst({ name, shape: [height, width, 1, ins], data })
  return { name, shape: [ins, 1, height, width], data: turned }
}
