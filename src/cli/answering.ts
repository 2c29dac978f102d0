import { Fault } from "../fault.ts"
import type { Ask } from "./client.ts"
import type { Context } from "./context.ts"
import { askerOf } from "./request-form.ts"
import { refuse, tell } from "./say.ts"
import { answerWatch } from "./watch-people.ts"

/** Asks the person for a reason. @returns `null` where nobody can be asked. */
export type AskReason = (fault: Fault) => Promise<string | null>

/** Sends requests of one command; where the watch asks why, asks the person once, answers, and sends what was held again. */
export class Answering {
  readonly #context: Context
  readonly #ask: AskReason
  #answers = 0
  #under: Promise<boolean> | null = null

  constructor(context: Context, ask: AskReason = fault => reasonOnTerminal(context, fault)) {
    this.#context = context
    this.#ask = ask
  }

  /** @throws Fault WATCH_STEP_UP where nobody could be asked, and whatever the vault refuses with. */
  async send(ask: Ask): Promise<Response> {
    const answers = this.#answers
    try {
      return await this.#context.client.send(ask)
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "WATCH_STEP_UP") throw error
      // Several are under way at once: one answer is for all that were held before it.
      if (this.#answers === answers && !(await this.#answerOnce(error))) throw error
      return this.#context.client.send(ask)
    }
  }

  #answerOnce(fault: Fault): Promise<boolean> {
    this.#under ??= this.#answer(fault).finally(() => (this.#under = null))
    return this.#under
  }

  async #answer(fault: Fault): Promise<boolean> {
    const reason = await this.#ask(fault)
    if (reason === null) return false
    const { entry } = await answerWatch(this.#context, reason)
    this.#answers += 1
    tell(this.#context.voice, `answered, log entry ${entry}`)
    return true
  }
}

async function reasonOnTerminal(context: Context, fault: Fault): Promise<string | null> {
  const asker = askerOf(context)
  if (asker === null) return null
  refuse({ ...context.voice, json: false }, fault)
  try {
    for (;;) {
      const reason = (await asker("Why (one line, at least 15 characters; empty to stop): ")).trim()
      if (reason === "") return null
      if (reason.length >= 15) return reason
    }
  } finally {
    asker.close()
  }
}
