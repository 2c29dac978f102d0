/** One line of a table. */
export interface Row {
  readonly work: string
  readonly clients: number
  readonly perSecond: number
  readonly median_ms: number
  readonly p99_ms: number
  readonly memory_mb: number
}

/** Runs `count` pieces of work with so many clients at once. */
export async function measure(
  work: string,
  of: { clients: number; count: number; run: (i: number) => Promise<unknown> },
): Promise<Row> {
  const times: number[] = []
  let next = 0
  const start = performance.now()
  const client = async () => {
    for (let i = next++; i < of.count; i = next++) {
      const at = performance.now()
      await of.run(i)
      times.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: of.clients }, client))
  const seconds = (performance.now() - start) / 1000
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  const memory_mb = process.memoryUsage().rss / 1e6
  return {
    work,
    clients: of.clients,
    perSecond: of.count / seconds,
    median_ms: at(0.5),
    p99_ms: at(0.99),
    memory_mb,
  }
}

const atOnce = 64

/** Work on each of so many, 64 at a time, so that a log takes them in batches. @returns what each gave, in order. */
export async function sideBySide<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count)
  let next = 0
  const worker = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await work(n)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
