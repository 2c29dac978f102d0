import { createRequire } from "node:module"
import type * as Runtime from "onnxruntime-node"
import { assert, Fault } from "../fault.ts"

/** A tensor of floats; `shape` multiplies to the length of `data`. */
export interface Tensor {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

/** A neural network with one input; each run takes one thread. */
export interface Network {
  /** @returns the outputs by name. */
  run(input: Tensor): Promise<ReadonlyMap<string, Tensor>>
}

const require = createRequire(import.meta.url)

/**
 * Loads the runtime only here, since its library takes 46 MB and most processes never read a picture.
 * The arena keeps its memory from run to run: without it every run pays for fresh pages, half as much again (measured).
 * @throws Fault MODEL for bytes that are no ONNX model of float tensors, and on a machine without the runtime.
 */
export async function openNetwork(model: Uint8Array): Promise<Network> {
  const runtime = loadRuntime()
  const session = await runtime.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    enableCpuMemArena: true,
    enableMemPattern: false,
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw new Fault("MODEL", "the model file is no network that the runtime takes", { cause })
  })
  const name = session.inputNames[0]
  if (session.inputNames.length !== 1 || name === undefined)
    throw new Fault("MODEL", "the model takes more than one input")
  return {
    async run({ data, shape }) {
      const outputs = await session.run({ [name]: new runtime.Tensor("float32", data, [...shape]) })
      return new Map(Object.entries(outputs).map(([output, value]) => [output, tensorOf(value)]))
    },
  }
}

function loadRuntime(): typeof Runtime {
  try {
    return require("onnxruntime-node") as typeof Runtime
  } catch (cause) {
    throw new Fault("MODEL", "the networks' runtime does not load on this machine", { cause })
  }
}

function tensorOf({ data, dims }: Runtime.Tensor): Tensor {
  assert(data instanceof Float32Array, "outputs of the networks are floats")
  return { data, shape: dims }
}
