import { concat, utf8 } from "../bytes.ts"

/**
 * Writes a network as an ONNX model, so that weights which come without a graph run on the same runtime as the others.
 * Source: onnx/onnx.proto (IR version 8, operator set 13), of which only what is written here, and the encoding of
 * Protocol Buffers.
 */

/** A float, a whole number, a text or whole numbers. */
export type Attribute = number | bigint | string | readonly number[]

export interface GraphNode {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly attributes?: Readonly<Record<string, Attribute>>
}

export interface Weights {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface Graph {
  /** Names and shapes of input and output; a negative side is free. */
  readonly input: { readonly name: string; readonly shape: readonly number[] }
  readonly output: { readonly name: string; readonly shape: readonly number[] }
  readonly nodes: readonly GraphNode[]
  readonly weights: readonly Weights[]
}

const float = 1

export function formatGraph(graph: Graph): Uint8Array {
  const body = concat(
    ...graph.nodes.map(node => bytes(1, nodeOf(node))),
    bytes(2, utf8("graph")),
    ...graph.weights.map(weights => bytes(5, tensorOf(weights))),
    bytes(11, valueOf(graph.input)),
    bytes(12, valueOf(graph.output)),
  )
  return concat(number(1, 8), bytes(7, body), bytes(8, concat(bytes(1, utf8("")), number(2, 13))))
}

function nodeOf({ operator, inputs, output, attributes = {} }: GraphNode): Uint8Array {
  return concat(
    ...inputs.map(name => bytes(1, utf8(name))),
    bytes(2, utf8(output)),
    bytes(4, utf8(operator)),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attributeOf(name, value))),
  )
}

/** Types of attributes: 1 a float, 2 a whole number, 3 a string, 7 whole numbers. */
function attributeOf(name: string, value: Attribute): Uint8Array {
  const named = bytes(1, utf8(name))
  if (typeof value === "string") return concat(named, bytes(4, utf8(value)), number(20, 3))
  if (typeof value === "number") return concat(named, real(2, value), number(20, 1))
  if (typeof value === "bigint") return concat(named, number(3, Number(value)), number(20, 2))
  return concat(named, ...value.map(each => number(8, each)), number(20, 7))
}

function tensorOf({ name, shape, data }: Weights): Uint8Array {
  const raw = new Uint8Array(data.length * 4)
  const view = new DataView(raw.buffer)
  data.forEach((value, i) => view.setFloat32(4 * i, value, true))
  return concat(...shape.map(side => number(1, side)), number(2, float), bytes(8, utf8(name)), bytes(9, raw))
}

function valueOf({ name, shape }: Graph["input"]): Uint8Array {
  const sides = shape.map((side, i) => bytes(1, side < 0 ? bytes(2, utf8(`${name}_${i}`)) : number(1, side)))
  const type = bytes(1, concat(number(1, float), bytes(2, concat(...sides))))
  return concat(bytes(1, utf8(name)), bytes(2, type))
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return concat(varint((field << 3) | 2), varint(value.length), value)
}

/** @param value  a whole number, not negative. */
function number(field: number, value: number): Uint8Array {
  return concat(varint(field << 3), varint(value))
}

function real(field: number, value: number): Uint8Array {
  const four = new Uint8Array(4)
  new DataView(four.buffer).setFloat32(0, value, true)
  return concat(varint((field << 3) | 5), four)
}

function varint(value: number): Uint8Array {
  const out: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  return Uint8Array.from([...out, rest])
}
