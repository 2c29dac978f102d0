import { newId } from "../ids.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import type { MuteState } from "../log/mutes.ts"
import { recordOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { assertReason } from "./motions.ts"
import { propose } from "./propose.ts"
import type { Registered } from "./register.ts"

/** One person has an event not told to one destination until a time, and says why; the others hear of it. */
export async function muteEvent(house: House, caller: Caller): Promise<Registered> {
  assertReason(caller)
  const statement = caller.statement as EntryOf<"rule.muted">["statement"]
  const { asked, person } = caller
  const mute = newId("mut")
  const draft: Draft = { kind: "rule.muted", mute, person: person.person, asked, statement }
  const { index } = await propose(house, caller, { of: "watch", draft, records: [] })
  return { id: mute, entry: index }
}

/** It is told again, before its time. What was not told meanwhile stays so. */
export async function endMute(house: House, caller: Caller, mute: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"rule.unmuted">["statement"]
  const { asked, person } = caller
  const draft: Draft = { kind: "rule.unmuted", mute, person: person.person, asked, statement }
  const { index } = await propose(house, caller, { of: "watch", draft, records: [] })
  return { id: mute, entry: index }
}

/** Those that stand. */
export async function mutesOf(house: House): Promise<readonly MuteState[]> {
  const held = (await recordOf(house, "mutes", "mutes"))?.mutes ?? []
  const now_ms = house.log.clock()
  return held.filter(each => now_ms < Date.parse(each.until))
}
