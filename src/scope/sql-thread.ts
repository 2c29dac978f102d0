import { Worker } from "node:worker_threads"
import { builtScript } from "../built-script.ts"
import { Fault } from "../fault.ts"
import type { Answer, BesideTexts, Windows } from "./figures.ts"
import type { SqlAsk } from "./sql.ts"
import type { SqlCall, SqlReply } from "./sql-worker.ts"

/** What the second engine is asked, wherever it runs. */
export interface SecondEngine {
  ask(of: SqlAsk): void | Promise<void>
  beside(rows: ReadonlyMap<string, BesideTexts>): void | Promise<void>
  answer(windows: Windows): Answer | Promise<Answer>
}

/** Texts that go over at once: some hundred kB. */
const rowsAtOnce = 512

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * The second engine in a thread of its own: SQLite is synchronous, and one query over a large log would hold a server's event loop
 * for as long as it takes. Calls are answered in order.
 */
export class SqlThread implements SecondEngine {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #ended: Fault | null = null

  constructor() {
    this.#worker = new Worker(builtScript("sql-worker", import.meta.url))
    // Alone, it does not keep a process alive.
    this.#worker.unref()
    this.#worker.on("message", (reply: SqlReply) => this.#hear(reply))
    this.#worker.on("error", cause => this.#end(cause))
    this.#worker.on("exit", () => this.#end(undefined))
  }

  /** Whether it still has what it took. */
  get isOpen(): boolean {
    return this.#ended === null
  }

  close(): void {
    if (this.isOpen) this.#worker.postMessage({ call: "close" } satisfies SqlCall)
    this.#end(undefined)
  }

  /** Takes the next entries, in order: their bytes as the log has them. */
  async take(
    rows: readonly { readonly index: number; readonly kind: string; readonly bytes: Uint8Array }[],
  ): Promise<void> {
    await this.#call({ call: "take", rows })
  }

  async ask(of: SqlAsk): Promise<void> {
    await this.#call({ call: "ask", of })
  }

  async beside(rows: ReadonlyMap<string, BesideTexts>): Promise<void> {
    const texts = [...rows].map(([capture, { headerJson, findingsJson }]) => {
      return [capture, { headerJson, findingsJson }] as const
    })
    for (let from = 0; from < texts.length; from += rowsAtOnce)
      await this.#call({ call: "beside", rows: new Map(texts.slice(from, from + rowsAtOnce)) })
  }

  async answer(windows: Windows): Promise<Answer> {
    return (await this.#call({ call: "answer", windows })) as Answer
  }

  #call(call: SqlCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended)
      this.#waiting.push({ resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(call)
    })
  }

  #hear({ value }: SqlReply): void {
    this.#waiting.shift()?.resolve(value)
    if (this.#waiting.length === 0) this.#worker.unref()
  }

  #end(cause: unknown): void {
    this.#ended ??= new Fault("INTERNAL", "the second engine of the scope ended", {
      ...{ cause, notDone: "No figure was computed." },
    })
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
    this.#worker.unref()
  }
}
