import { assert } from "../fault.ts"
import type { Box } from "../picture/level.ts"
import type { Pixels } from "../picture/pixels.ts"
import { modelFiles, readModel } from "./model-file.ts"
import { openNetwork } from "./network.ts"
import { formatGraph, type Attribute, type Graph, type GraphNode, type Weights } from "./onnx-graph.ts"
import { outputFirst, unpacked } from "./packed-weights.ts"
import { planesOf, type Channel } from "./planes.ts"
import { resized } from "./sampling.ts"

/** 128 floats of a face, such that those of one person lie nearer to each other than those of two. */
export type Descriptor = Float32Array

export const descriptorSize = 128

/** A face whose box is narrower or lower is not described: enlarged more than four times it is mostly what the enlarging made. */
export const leastFace_px = 40

export interface FaceDescriber {
  /** Name and SHA-256 of the weights. */
  readonly model: string
  /** @returns `null` for a face that is too small. */
  describe(pixels: Pixels, face: Box): Promise<Descriptor | null>
}

/** Pixels of the square that the network takes. */
const side_px = 150

/** The square's side over the face box's longer one. */
const margin = 1.25

const channels: readonly Channel[] = [
  { from: 0, less: 122.782, over: 255 },
  { from: 1, less: 117.001, over: 255 },
  { from: 2, less: 104.298, over: 255 },
]

/**
 * The face recognition network of face-api, a residual network after dlib's, with weights of one byte.
 * Faces are not turned upright first, as there is no network of landmarks here: what it tells apart it tells a little worse.
 * @throws Fault MODEL
 */
export async function openFaceDescriber(): Promise<FaceDescriber> {
  const [manifest, bytes] = await Promise.all([
    readModel(modelFiles.faceDescriptorManifest),
    readModel(modelFiles.faceDescriptorWeights),
  ])
  const network = await openNetwork(formatGraph(descriptorGraph(unpacked(manifest, bytes))))
  return {
    model: `face-recognition sha256:${modelFiles.faceDescriptorWeights.sha256}`,
    async describe(pixels, face) {
      if (Math.min(face.width_px, face.height_px) < leastFace_px) return null
      const shown = await resized(pixels, squareAround(pixels, face), {
        width_px: side_px,
        height_px: side_px,
      })
      const outputs = await network.run({ data: planesOf(shown, channels), shape: [1, 3, side_px, side_px] })
      const [descriptor] = outputs.values()
      assert(descriptor?.data.length === descriptorSize, "the network gives 128 numbers")
      return descriptor.data
    },
  }
}

/** The square of the face with its margin, moved into the picture, and no larger than it. */
function squareAround({ width_px, height_px }: Pixels, face: Box): Box {
  const longer_px = Math.round(margin * Math.max(face.width_px, face.height_px))
  const own_px = Math.min(longer_px, width_px, height_px)
  const place = (start_px: number, length_px: number, whole_px: number) =>
    Math.max(0, Math.min(whole_px - own_px, Math.round(start_px + (length_px - own_px) / 2)))
  return {
    x_px: place(face.x_px, face.width_px, width_px),
    y_px: place(face.y_px, face.height_px, height_px),
    width_px: own_px,
    height_px: own_px,
  }
}

/** Blocks in their order: those that go down halve the sides; `sides_px` is what comes out. */
const blocks = [
  ...["conv32_1", "conv32_2", "conv32_3"].map(name => ({ name, goesDown: false, sides_px: 35 })),
  { name: "conv64_down", goesDown: true, sides_px: 17 },
  ...["conv64_1", "conv64_2", "conv64_3"].map(name => ({ name, goesDown: false, sides_px: 17 })),
  { name: "conv128_down", goesDown: true, sides_px: 8 },
  ...["conv128_1", "conv128_2"].map(name => ({ name, goesDown: false, sides_px: 8 })),
  { name: "conv256_down", goesDown: true, sides_px: 4 },
  ...["conv256_1", "conv256_2"].map(name => ({ name, goesDown: false, sides_px: 4 })),
  { name: "conv256_down_out", goesDown: true, sides_px: 2 },
] as const

/**
 * Input [1, 3, 150, 150]; output [1, 128]. A convolution's scale and shift are folded into its filters and bias. A block
 * adds to what two convolutions make of its input the input itself: going down, halved by the mean, with as many channels
 * of zeros after it as are missing, and what the convolutions lack of its sides filled with zeros.
 * Source: the layers of face-api's FaceRecognitionNet.
 */
export function descriptorGraph(weights: ReadonlyMap<string, Weights>): Graph {
  const graph = new Layers(weights)
  let at = graph.convolved("picture", "conv32_down", { stride: 2, isPadded: false })
  at = graph.put("Relu", [at])
  at = graph.put("MaxPool", [at], { kernel_shape: [3, 3], strides: [2, 2] })
  for (const block of blocks) at = graph.block(at, block)
  at = graph.put("GlobalAveragePool", [at])
  at = graph.put("Flatten", [at])
  at = graph.put("MatMul", [at, graph.take("fc", of => of)])
  return {
    input: { name: "picture", shape: [1, 3, side_px, side_px] },
    output: { name: at, shape: [1, descriptorSize] },
    nodes: graph.nodes,
    weights: graph.used,
  }
}

class Layers {
  readonly nodes: GraphNode[] = []
  readonly used: Weights[] = []
  readonly #weights: ReadonlyMap<string, Weights>

  constructor(weights: ReadonlyMap<string, Weights>) {
    this.#weights = weights
  }

  put(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const output = `${operator}${this.nodes.length}`
    this.nodes.push({ operator, inputs, output, attributes })
    return output
  }

  take(name: string, shape: (of: Weights) => Weights): string {
    this.used.push(shape(this.#named(name)))
    return name
  }

  convolved(from: string, name: string, { stride, isPadded }: { stride: number; isPadded: boolean }): string {
    const scale = this.#named(`${name}/scale/weights`)
    const shift = this.#named(`${name}/scale/biases`)
    const filters = this.take(`${name}/conv/filters`, of => scaled(outputFirst(of), scale))
    const bias = this.take(`${name}/conv/bias`, of => {
      const { data } = scaled(of, scale)
      return { ...of, data: data.map((value, i) => value + (shift.data[i] ?? 0)) }
    })
    const pad = isPadded ? 1 : 0
    return this.put("Conv", [from, filters, bias], { strides: [stride, stride], pads: [pad, pad, pad, pad] })
  }

  block(from: string, { name, goesDown, sides_px }: (typeof blocks)[number]): string {
    const stride = goesDown ? 2 : 1
    const first = this.put("Relu", [this.convolved(from, `${name}/conv1`, { stride, isPadded: !goesDown })])
    const second = this.convolved(first, `${name}/conv2`, { stride: 1, isPadded: true })
    if (!goesDown) return this.put("Relu", [this.put("Add", [second, from])])
    const [ins = 0, outs = 0] = this.#named(`${name}/conv1/conv/filters`).shape.slice(2)
    const halved = this.put("AveragePool", [from], { kernel_shape: [2, 2], strides: [2, 2] })
    const input = outs === ins ? halved : this.#beside(halved, 1, [1, outs - ins, sides_px, sides_px])
    // Only the last two blocks' convolutions come out a row and a column short: 8 → 3 and 4 → 1.
    const isShort = sides_px <= 4
    const tall = isShort ? this.#beside(second, 2, [1, outs, 1, sides_px - 1]) : second
    const whole = isShort ? this.#beside(tall, 3, [1, outs, sides_px, 1]) : second
    return this.put("Relu", [this.put("Add", [input, whole])])
  }

  /** Zeros after what is there, along one axis. */
  #beside(from: string, axis: number, shape: readonly number[]): string {
    const name = `zeros${this.used.length}`
    this.used.push({
      name,
      shape,
      data: new Float32Array(shape.reduce((product, side) => product * side, 1)),
    })
    return this.put("Concat", [from, name], { axis: BigInt(axis) })
  }

  #named(name: string): Weights {
    const found = this.#weights.get(name)
    assert(found !== undefined, "the manifest names the weights of every layer")
    return found
  }
}

/** Each output's weights times its scale; outputs come first. */
function scaled(of: Weights, scale: Weights): Weights {
  const each = of.data.length / scale.data.length
  return { ...of, data: of.data.map((value, i) => value * (scale.data[Math.floor(i / each)] ?? 0)) }
}
