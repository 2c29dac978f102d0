import { assert } from "../fault.ts"
import type { FaceGuess, FaceNetwork } from "./face-finder.ts"
import { modelFiles, readModel } from "./model-file.ts"
import { openNetwork, type Tensor } from "./network.ts"
import { formatGraph, type Graph, type GraphNode, type Weights } from "./onnx-graph.ts"
import { depthFirst, outputFirst, unpacked } from "./packed-weights.ts"
import { planesOf, type Channel } from "./planes.ts"

/** Red, green and blue less their means. */
const channels: readonly Channel[] = [
  { from: 0, less: 117.001, over: 255 },
  { from: 1, less: 114.697, over: 255 },
  { from: 2, less: 97.404, over: 255 },
]

/** Pixels of a cell's side. */
const cell_px = 32

/** Width and height of the five anchors, in cells. */
const anchors = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
] as const

/**
 * The tiny face detector of face-api. @throws Fault MODEL
 * Costs about 30 ms of one core for 1024 × 768.
 */
export async function openTinyFace(): Promise<FaceNetwork> {
  const network = await openNetwork(await tinyFaceModel())
  return {
    model: `tiny-face-detector sha256:${modelFiles.tinyFaceWeights.sha256}`,
    looks_px: [512, 800],
    least: 0.2,
    async guess(shown, least) {
      const { width_px, height_px } = shown
      const outputs = await network.run({
        data: planesOf(shown, channels),
        shape: [1, 3, height_px, width_px],
      })
      const [cells] = outputs.values()
      assert(cells !== undefined, "the face detector answers")
      return guessesOf(cells, least)
    },
  }
}

/** For each cell and anchor: middle = (cell + σ(x, y)) × 32; size = e^(width, height) × anchor × 32; σ(score). */
function guessesOf({ data, shape }: Tensor, least: number): FaceGuess[] {
  const [, , rows = 0, columns = 0] = shape
  const cells = rows * columns
  const found: FaceGuess[] = []
  for (const [n, [width, height]] of anchors.entries()) {
    for (let cell = 0; cell < cells; cell += 1) {
      const value = (k: number) => data[(5 * n + k) * cells + cell] ?? 0
      const score = sigmoid(value(4))
      if (score < least) continue
      const x = ((cell % columns) + sigmoid(value(0))) * cell_px
      const y = (Math.floor(cell / columns) + sigmoid(value(1))) * cell_px
      const w = (Math.exp(value(2)) * width * cell_px) / 2
      const h = (Math.exp(value(3)) * height * cell_px) / 2
      found.push({ left: x - w, top: y - h, right: x + w, bottom: y + h, score })
    }
  }
  return found
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value))
}

/**
 * Seven convolutions after the manner of YOLO version 2, most of them separable, as an ONNX model: the package ships
 * weights, each one byte with a scale, and no graph; the graph is written here.
 * Input [1, 3, height, width]; output [1, 25, height ÷ 32, width ÷ 32]: for each anchor x, y, width, height and score.
 */
async function tinyFaceModel(): Promise<Uint8Array> {
  const [manifest, bytes] = await Promise.all([
    readModel(modelFiles.tinyFaceManifest),
    readModel(modelFiles.tinyFaceWeights),
  ])
  return formatGraph(graphOf(unpacked(manifest, bytes)))
}

function graphOf(weights: ReadonlyMap<string, Weights>): Graph {
  const used: Weights[] = []
  const nodes: GraphNode[] = []
  const take = (name: string, shape: (of: Weights) => Weights = of => of) => {
    const found = weights.get(name)
    assert(found !== undefined, "the manifest names the weights of every layer")
    used.push(shape(found))
    return name
  }
  let last = "picture"
  const put = (operator: string, more: readonly string[], attributes: GraphNode["attributes"] = {}) => {
    const output = `${operator}${nodes.length}`
    nodes.push({ operator, inputs: [last, ...more], output, attributes })
    last = output
  }
  for (let layer = 0; layer <= 5; layer += 1) {
    const bias = () => take(`conv${layer}/bias`)
    if (layer === 0) put("Conv", [take("conv0/filters", outputFirst), bias()])
    else {
      const each = take(`conv${layer}/depthwise_filter`, depthFirst)
      const group = weights.get(each)?.shape[2] ?? 0
      put("Conv", [each], { pads: [1, 1, 1, 1], group: BigInt(group) })
      put("Conv", [take(`conv${layer}/pointwise_filter`, outputFirst), bias()])
    }
    put("LeakyRelu", [], { alpha: 0.1 })
    const stride = layer === 5 ? 1 : 2
    put("MaxPool", [], { kernel_shape: [2, 2], strides: [stride, stride], auto_pad: "SAME_UPPER" })
  }
  put("Conv", [take("conv8/filters", outputFirst), take("conv8/bias")])
  return {
    input: { name: "picture", shape: [1, 3, -1, -1] },
    output: { name: last, shape: [1, 25, -1, -1] },
    nodes,
    weights: used,
  }
}
