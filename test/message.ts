import type { HeldMessage } from "../src/ledger/ledger.ts"
import type { EventName } from "../src/log/event-table.ts"
import { signerOf } from "../src/ed25519.ts"
import { everyAddress, type OutboxSettings } from "../src/outbox/settings.ts"

const person = "per_01JDXV6Z0A0000000000000000"

/** A message as the ledger holds it, leased for its first attempt. */
export function heldMessage(of: {
  readonly event: EventName
  readonly suspended?: number
  readonly nth?: number
}): HeldMessage {
  const { event, suspended = 1, nth = 1 } = of
  const isSuspension = event.endsWith("suspended")
  const data = { entry: 7, person, ...(isSuspension ? { suspended } : {}) }
  return {
    id: `msg_01JDXV6Z0A000000000000000${nth}`,
    destination: "dst_01JDXV6Z0A0000000000000000",
    ...{ subject: person, event, entry: 7, due_ms: 0 },
    body: JSON.stringify({ type: event, timestamp: "2026-11-25T03:00:00.000Z", data }),
    ...{ state: "waiting", attempts: 1, next_ms: 0, since_ms: 0, lease: "a", leasedUntil_ms: 1 },
    ...{ settled_ms: null, failed_ms: null, failure: null },
  }
}

/** Settings that reach loopback, as the destination `here`. */
export const someSettings: OutboxSettings = {
  ...{ origin: "sallyport.example/test", version: "0.0.0", smtp: null, ca: null, folder: "/nowhere" },
  networks: { here: ["127.0.0.0/8"] },
  tokens: {},
  signerFor: () => signerOf(new Uint8Array(32)),
  ...{ timeout_ms: 1000, retryFirst_ms: 100, retryMost_ms: 1000 },
  lookup: everyAddress,
  clock: () => Date.parse("2026-11-25T03:00:01.000Z"),
  random: () => 0.5,
}
