import { verifyEd25519 } from "../ed25519.ts"
import { failpoint } from "../failpoint.ts"
import { Fault } from "../fault.ts"
import { captureHeaderMessage, parseCapture, type ParsedCapture } from "../seal/capture.ts"
import { admissionRefusal } from "./admission.ts"
import type { Health } from "./health.ts"
import type { Pace } from "./pace.ts"
import { Pause } from "./pause.ts"
import type { Spool, Waiting } from "./spool.ts"
import type { Answer, Wire } from "./wire.ts"

export interface SenderOptions {
  readonly spool: Spool
  readonly wire: Wire
  readonly pace: Pace
  readonly health: Health
  /** Verification keys of the vault's log, pinned. */
  readonly logs: readonly string[]
  /** The reader's own, to find what was damaged on our disk. */
  readonly publicKey: Uint8Array
}

type Outcome =
  | { readonly kind: "admitted" }
  /** The vault will never take this one. */
  | { readonly kind: "refused"; readonly code: string }
  /** Nothing is known to be wrong with the capture; later. */
  | { readonly kind: "later"; readonly why: Hindrance; readonly retryAfter_s: number }

type Hindrance = "vault_away" | "reader_refused" | "proof_refused"

/**
 * Codes by which the vault refuses one capture for good. With any other, and with any answer that is no problem document of
 * ours, the line waits: a proxy's 404 or a reader that is not enrolled says nothing of a capture.
 */
const final: ReadonlySet<string> = new Set([
  "SEAL_FORMAT",
  "SEAL_RECIPIENT",
  "CAPTURE_HEADER",
  "CAPTURE_SEQUENCE",
  "CAPTURE_DAY",
  "CAPTURE_PURGED",
  "CONFLICT",
  "TOO_LARGE",
])
const ofReader: ReadonlySet<string> = new Set(["CAPTURE_READER", "CAPTURE_SIGNATURE"])
const idle_ms = 1000

/**
 * Sends what waits, one at a time and in the order of the numbers: the vault calls a number that overtakes another a gap.
 * A capture leaves the spool when its admission is proven, or moves aside when it is refused for good.
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #pause = new Pause()

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Runs until `end`. @throws what stopped the spool. */
  async run(): Promise<void> {
    const { spool } = this.#options
    while (!this.#pause.isEnded) {
      const { head } = spool
      if (spool.stopped !== null) throw spool.stopped
      if (head === null) await spool.arrival(idle_ms)
      else await this.#step(head)
    }
  }

  end(): void {
    this.#pause.end()
    this.#options.spool.wake()
  }

  async #step(head: Waiting): Promise<void> {
    const { spool, pace, health } = this.#options
    const outcome = await this.#send(head)
    if (outcome.kind === "later") {
      health.hindered(outcome.why)
      return this.#pause.for(pace.failed(outcome.retryAfter_s))
    }
    pace.succeeded()
    if (outcome.kind === "admitted") {
      failpoint("lane.admitted")
      await spool.settle(head.sequence)
      failpoint("lane.settled")
      health.admitted()
    } else {
      await spool.setAside(head.sequence)
      health.refused(head.sequence, outcome.code)
    }
  }

  async #send({ sequence }: Waiting): Promise<Outcome> {
    const { spool, wire } = this.#options
    const bytes = await spool.read(sequence)
    const capture = this.#whole(bytes, sequence)
    if (capture === null) return { kind: "refused", code: "DAMAGED" }
    const ask = {
      method: "POST",
      path: "/v1/captures",
      type: "application/vnd.sallyport.capture",
      body: bytes,
    } as const
    try {
      return this.#judge(capture, await wire.ask(ask))
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "NO_SERVER") throw error
      return { kind: "later", why: "vault_away", retryAfter_s: 0 }
    }
  }

  /** The capture as it was spooled, or `null` for what a disk changed. */
  #whole(bytes: Uint8Array, sequence: number): ParsedCapture | null {
    try {
      const capture = parseCapture(bytes)
      const message = captureHeaderMessage(capture.header)
      const isOurs = verifyEd25519(this.#options.publicKey, message, capture.signature)
      return isOurs && capture.header.sequence === sequence ? capture : null
    } catch (error) {
      if (error instanceof Fault) return null
      throw error
    }
  }

  #judge(capture: ParsedCapture, answer: Answer): Outcome {
    const value = parseAnswer(answer)
    if (answer.status === 200 || answer.status === 201) {
      const { logs } = this.#options
      const proof = typeof value?.proof === "string" ? value.proof : ""
      const refusal = admissionRefusal({ proof, capture, logs, verify: verifyEd25519 })
      return refusal === null
        ? { kind: "admitted" }
        : { kind: "later", why: "proof_refused", retryAfter_s: 0 }
    }
    const code = answer.type === "application/problem+json" ? String(value?.code) : ""
    if (final.has(code)) return { kind: "refused", code }
    const why = ofReader.has(code) ? "reader_refused" : "vault_away"
    return { kind: "later", why, retryAfter_s: answer.retryAfter_s }
  }
}

function parseAnswer({ text }: Answer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
