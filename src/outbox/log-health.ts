import { recordOf } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { canonical } from "../canonical.ts"
import { placedId } from "../ids.ts"
import type { EventName } from "../log/event-table.ts"
import { rungs_ms } from "../log/messages.ts"
import { names } from "../log/state.ts"

/** What the log itself cannot say: it has stopped, or nobody may see more of it. */
interface Ill {
  readonly event: EventName
  /** Names the occasion: of one there is one message, whichever servers notice it. */
  readonly index: number
  readonly at_ms: number
}

/** Beside the numbers that an entry's own messages have. */
const firstNth = 60_000

/**
 * Looks whether the log is forked or not witnessed, and writes messages beside it, for the destinations that take that. A row
 * that a stranger writes there opens nothing: it can only tell.
 */
export async function tellLogHealth(house: House): Promise<void> {
  const { log } = house
  const ill = await illness(house)
  if (ill === null) return
  const active = (await recordOf(house, "destinations", "destinations"))?.active ?? []
  const taking = active.filter(each => each.events.includes(ill.event))
  for (const [nth, { destination, rung }] of taking.entries()) {
    // Nobody can acknowledge what is no entry: a log that waits for witnesses is told at once, a fork to everyone in turn.
    if (rung > 0 && ill.event !== "log.forked") continue
    const delay_ms = rungs_ms[rung] ?? 0
    const timestamp = new Date(ill.at_ms).toISOString()
    await house.ledger.addMessage({
      id: placedId("msg", { at_ms: ill.at_ms + delay_ms, index: ill.index, nth: firstNth + nth }),
      ...{ destination, subject: "log", event: ill.event, entry: null, due_ms: log.clock() + delay_ms },
      body: canonical({ type: ill.event, timestamp, data: { size: ill.index } }),
    })
  }
}

async function illness(house: House): Promise<Ill | null> {
  const { log, ledger, vault } = house
  if (log.stopped !== null || vault.gate.stopped !== null) {
    const { size, time_ms } = await ledger.head()
    return { event: "log.forked", index: size, at_ms: time_ms }
  }
  const { witnesses } = log
  if (witnesses === null) return null
  const refusal = witnesses.refusal(await ledger.counter(names.opened))
  const { size = 0, stated_ms = 0 } = witnesses.newest ?? {}
  return refusal === null ? null : { event: "log.unwitnessed", index: size, at_ms: stated_ms }
}
