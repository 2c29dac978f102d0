import { expect, test } from "vitest"
import { openNetwork } from "./network.ts"
import { formatGraph } from "./onnx-graph.ts"

test("a written graph computes what its nodes say", async () => {
  const model = formatGraph({
    input: { name: "in", shape: [1, 1, -1, -1] },
    output: { name: "out", shape: [1, 1, -1, -1] },
    nodes: [
      { operator: "Conv", inputs: ["in", "twice", "less"], output: "a", attributes: { group: 1n } },
      { operator: "LeakyRelu", inputs: ["a"], output: "b", attributes: { alpha: 0.5 } },
      {
        operator: "MaxPool",
        inputs: ["b"],
        output: "out",
        attributes: { kernel_shape: [2, 2], strides: [2, 2], auto_pad: "SAME_UPPER" },
      },
    ],
    weights: [
      { name: "twice", shape: [1, 1, 1, 1], data: Float32Array.of(2) },
      { name: "less", shape: [1], data: Float32Array.of(-200) },
    ],
  })
  const network = await openNetwork(model)
  const data = Float32Array.of(1, 2, 300, 50, 60, 70)
  const outputs = await network.run({ data, shape: [1, 1, 2, 3] })
  // 2x − 200, halved where negative, and the largest of each two by two.
  expect([...outputs.get("out")!.data]).toEqual([-40, 400])
})
