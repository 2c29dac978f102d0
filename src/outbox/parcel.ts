import type { HeldMessage } from "../ledger/ledger.ts"
import type { DestinationState } from "../log/destinations.ts"
import type { OutboxSettings } from "./settings.ts"

/** Where messages go. */
export interface Target {
  readonly destination: DestinationState
  readonly address: string
  readonly settings: OutboxSettings
  /** Ends the attempt. */
  readonly signal: AbortSignal
}

/** How one attempt went; `why` is for a person, and holds nothing of the address's secrets. */
export type Outcome =
  | { readonly kind: "taken" }
  /** `isFinal`: the receiver said that it wants no more of it. */
  | { readonly kind: "failed"; readonly why: string; readonly isFinal?: true }

/** One way of sending. */
export interface Way {
  /** Messages in one attempt, 1 to 200; they go or fail together. */
  readonly batch: number
  /** Attempts to one destination at once. */
  readonly atOnce: number
  /** Never throws for what the other side does. */
  send(messages: readonly HeldMessage[], target: Target): Promise<Outcome>
}

export const taken: Outcome = { kind: "taken" }

export function failed(why: string): Outcome {
  return { kind: "failed", why }
}

/** An error of the network or of TLS in a sentence. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === "ABORT_ERR" || code === "ETIMEDOUT") return "no answer in time"
  return String(code ?? message ?? "unknown").slice(0, 120)
}
