import { expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { clustered, neighboursOf } from "./cluster.ts"

/** `people` points far from each other, `each` faces close to every one, in turn. */
function faces(people: number, each: number): Float32Array[] {
  const chance = chanceOf("clusters")
  const points = Array.from({ length: people }, () =>
    Float32Array.from({ length: 16 }, () => chance.between(-1, 1)),
  )
  return Array.from({ length: people * each }, (_, i) =>
    points[i % people]!.map(value => value + chance.between(-0.05, 0.05)),
  )
}

test("faces of one person are one cluster, of others another, the same every time", () => {
  const all = faces(20, 5)
  const { clusterOf, clusters } = clustered(all, 0.6)
  expect(clusters).toBe(20)
  expect([...clusterOf]).toEqual(all.map((_, i) => i % 20))
  expect(clustered(all, 0.6)).toEqual({ clusterOf, clusters })
})

test("a chain of faces, each like the next, is not one person", () => {
  const chain = Array.from({ length: 20 }, (_, i) => Float32Array.from([0.5 * i, 0]))
  expect(clustered(chain, 0.6).clusters).toBeGreaterThan(5)
})

test("neighbours are of other clusters, nearest first", () => {
  const line = [0, 0.1, 1, 3, 2].map(x => Float32Array.from([x]))
  const found = clustered(line, 0.5)
  expect(found.clusters).toBe(4)
  expect(neighboursOf(0, line, found, 2)).toEqual([2, 4])
})

test("nothing is no cluster", () => expect(clustered([], 0.6).clusters).toBe(0))
