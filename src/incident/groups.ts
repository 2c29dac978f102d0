/** Things that links make one: sets that only grow together. Source: Tarjan 1975, by size and with halved paths. */
export class Groups {
  readonly #parent: Int32Array
  readonly #size: Int32Array
  #count: number

  constructor(things: number) {
    this.#parent = Int32Array.from({ length: things }, (_, i) => i)
    this.#size = new Int32Array(things).fill(1)
    this.#count = things
  }

  /** How many groups there are. */
  get count(): number {
    return this.#count
  }

  /** The thing that stands for the group of `i`. */
  of(i: number): number {
    let at = i
    for (let up = this.#parent[at] ?? at; up !== at; up = this.#parent[at] ?? at) {
      const next = this.#parent[up] ?? up
      this.#parent[at] = next
      at = next
    }
    return at
  }

  size(i: number): number {
    return this.#size[this.of(i)] ?? 1
  }

  /** @returns whether they were two groups before. */
  join(i: number, j: number): boolean {
    const [a, b] = [this.of(i), this.of(j)]
    if (a === b) return false
    const [large, small] = this.size(a) >= this.size(b) ? [a, b] : [b, a]
    this.#size[large] = this.size(a) + this.size(b)
    this.#parent[small] = large
    this.#count -= 1
    return true
  }
}
