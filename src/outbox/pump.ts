import { randomBytes } from "node:crypto"
import { recordOf } from "../custody/caller.ts"
import { abandon, addressOf, isTaken } from "../custody/destinations.ts"
import { isClockOver } from "../custody/incident-clocks.ts"
import type { House } from "../custody/house.ts"
import { failpoint } from "../failpoint.ts"
import type { HeldMessage } from "../ledger/ledger.ts"
import type { DestinationState } from "../log/destinations.ts"
import { failed, reasonOf, type Outcome, type Way } from "./parcel.ts"
import { patience_ms, retryDelay_ms } from "./retry.ts"
import type { OutboxSettings } from "./settings.ts"
import { ways } from "./ways.ts"

/** What became of one attempt, for whoever counts. */
export interface Attempted {
  readonly destination: Pick<DestinationState, "name" | "kind">
  readonly outcome: "delivered" | "failed" | "abandoned"
  /** From when it was due. */
  readonly waited_ms: number
}

export interface PumpOptions {
  readonly settings: OutboxSettings
  /** Hears of a turn that failed; the next one tries again. */
  readonly told: (error: unknown) => void
  readonly attempted?: (of: Attempted) => void
}

export interface Pump {
  /** Looks at once: something may be due. */
  wake(): void
  /** Waits for what is under way. */
  close(): Promise<void>
}

const every_ms = 500

/**
 * Sends what is due: to each destination some at once, of each subject one after the other, under leases, so that several
 * servers on one ledger do not send the same at the same time. A destination that hangs holds its own places and no others.
 */
export function startPump(house: House, options: PumpOptions): Pump {
  const under = new Map<string, number>()
  const attempts = new Set<Promise<void>>()
  let turn: Promise<void> = Promise.resolve()
  let isClosing = false
  let isDue = false
  const wake = () => {
    if (isClosing || isDue) return
    isDue = true
    turn = turn.then(look).catch(options.told)
  }
  const look = async () => {
    isDue = false
    const now_ms = options.settings.clock()
    for (const id of await house.ledger.dueDestinations(now_ms)) if (!isClosing) await start(id)
  }
  const start = async (id: string) => {
    for (const attempt of await attemptsAt(house, options, { id, busy: under.get(id) ?? 0 })) {
      under.set(id, (under.get(id) ?? 0) + 1)
      const done: Promise<void> = attempt()
        .catch(options.told)
        .then(() => {
          under.set(id, (under.get(id) ?? 1) - 1)
          attempts.delete(done)
          wake()
        })
      attempts.add(done)
    }
  }
  // Who has the ledger alone was killed if there is a lease.
  if (house.ledger.engine === "sqlite") turn = house.ledger.releaseLeases().catch(options.told)
  const timer = setInterval(wake, every_ms)
  timer.unref()
  wake()
  return {
    wake,
    close: async () => {
      isClosing = true
      clearInterval(timer)
      await turn
      await Promise.all(attempts)
    },
  }
}

/** Takes what a destination has places for, and says how each batch is sent. */
async function attemptsAt(
  house: House,
  options: PumpOptions,
  { id, busy }: { readonly id: string; readonly busy: number },
): Promise<readonly (() => Promise<void>)[]> {
  const destination = await recordOf(house, "destination", id)
  if (destination === null) return []
  const way = ways[destination.kind]
  const places = way.atOnce - busy
  if (places <= 0) return []
  const { settings } = options
  const now_ms = settings.clock()
  const messages = await house.ledger.leaseMessages({
    ...{ destination: id, lease: randomBytes(12).toString("base64url"), now_ms },
    // Twice an attempt's time, and what the ledger may need.
    until_ms: now_ms + 2 * settings.timeout_ms + 5000,
    limit: Math.min(200, places * way.batch),
  })
  const batches = Array.from({ length: Math.ceil(messages.length / way.batch) }, (_, i) =>
    messages.slice(i * way.batch, (i + 1) * way.batch),
  )
  return batches.map(batch => () => deliver(house, options, { destination, way, batch }))
}

interface Batch {
  readonly destination: DestinationState
  readonly way: Way
  readonly batch: readonly HeldMessage[]
}

async function deliver(house: House, options: PumpOptions, of: Batch): Promise<void> {
  const { destination, way, batch } = of
  const needless: HeldMessage[] = []
  for (const each of batch) if (await isNeedless(house, destination, each)) needless.push(each)
  for (const each of needless) await settle(house, options, { ...of, message: each, state: "ended" })
  const rest = batch.filter(each => !needless.includes(each))
  if (rest.length === 0) return
  const outcome = await send(house, options, { destination, way, batch: rest })
  failpoint("outbox.sent")
  for (const message of rest) await conclude(house, options, { destination, message, outcome })
}

/** A person took it before this rung was due, a clock was met, or nobody is to be told there any more. */
async function isNeedless(
  house: House,
  destination: DestinationState,
  message: HeldMessage,
): Promise<boolean> {
  if (destination.status !== "active" || (await isClockOver(house, message))) return true
  return destination.rung > 0 && (await isTaken(house, message))
}

/** One attempt, over when its time is over, whatever the way does. */
async function send(
  house: House,
  { settings }: PumpOptions,
  { destination, way, batch }: Batch,
): Promise<Outcome> {
  const address = await addressOf(house, destination)
  if (address === null) return failed("the address was destroyed")
  const signal = AbortSignal.timeout(settings.timeout_ms)
  const late = new Promise<Outcome>(resolve =>
    signal.addEventListener("abort", () => resolve(failed("no answer in time")), { once: true }),
  )
  const sent = way
    .send(batch, { destination, address, settings, signal })
    .catch((error: unknown) => failed(reasonOf(error)))
  return Promise.race([sent, late])
}

interface Concluded {
  readonly destination: DestinationState
  readonly message: HeldMessage
  readonly outcome: Outcome
}

async function conclude(
  house: House,
  options: PumpOptions,
  { destination, message, outcome }: Concluded,
): Promise<void> {
  const told = { destination, message }
  if (outcome.kind === "taken") return settle(house, options, { ...told, state: "delivered" })
  const now_ms = options.settings.clock()
  const isOver = outcome.isFinal === true || now_ms - message.since_ms >= patience_ms
  // The entry comes first: a crash between the two says it twice, never not at all.
  if (isOver) await abandon(house, message)
  const { why } = outcome
  await settle(house, options, { ...told, why, state: isOver ? "abandoned" : "waiting" })
}

async function settle(
  house: House,
  { settings, attempted }: PumpOptions,
  of: {
    readonly destination: DestinationState
    readonly message: HeldMessage
    readonly state: HeldMessage["state"]
    readonly why?: string
  },
): Promise<void> {
  const { destination, message, state, why } = of
  const now_ms = settings.clock()
  const { retryFirst_ms: first_ms, retryMost_ms: most_ms } = settings
  const delay_ms = retryDelay_ms(message.attempts, { first_ms, most_ms, random: settings.random() })
  await house.ledger.settleMessage(message, {
    state,
    next_ms: state === "waiting" ? now_ms + delay_ms : now_ms,
    settled_ms: state === "waiting" ? null : now_ms,
    failed_ms: why === undefined ? null : now_ms,
    failure: why ?? null,
  })
  if (state === "ended") return
  const outcome = state === "waiting" ? "failed" : state
  attempted?.({ destination, outcome, waited_ms: Math.max(0, now_ms - message.due_ms) })
}
