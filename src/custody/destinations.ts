import { isIP } from "node:net"
import { base64 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { isId } from "../ids.ts"
import { wanting, type Backlog, type HeldMessage } from "../ledger/ledger.ts"
import { alertOf } from "../log/alerts.ts"
import type { DestinationKind, DestinationState } from "../log/destinations.ts"
import type { EventName } from "../log/event-table.ts"
import { judge } from "../log/judge.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { noticeSeen } from "../log/messages.ts"
import { names, permitName, signalName, type Records } from "../log/state.ts"
import { openText } from "../vault/keys.ts"
import { recordOf, recordsOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { propose } from "./propose.ts"
import type { Registered } from "./register.ts"

/** What an address of each kind looks like; whether it may be reached is judged whenever it is. */
const shapes: Readonly<Record<DestinationKind, { is: (address: string) => boolean; shape: string }>> = {
  webhook: { is: address => isUrl(address, ["https:", "http:"]), shape: "an https URL" },
  "http-json": { is: address => isUrl(address, ["https:", "http:"]), shape: "an https URL" },
  syslog: { is: address => isUrl(address, ["syslog+tls:"]), shape: "syslog+tls://HOST:PORT" },
  email: { is: address => /^[^\s@<>,;"]{1,64}@[A-Za-z0-9.-]{1,190}$/.test(address), shape: "NAME@HOST" },
  file: { is: address => /^[a-z0-9][a-z0-9._-]{0,63}\.ndjson$/.test(address), shape: "NAME.ndjson" },
}

/** @throws Fault INVALID for an address that is none of its kind. */
export function assertAddress({ statement, openings }: Pick<Caller, "statement" | "openings">): void {
  const { kind } = statement as { kind: DestinationKind }
  const address = openings.address?.value ?? ""
  const { is, shape } = shapes[kind]
  if (is(address) && address.length <= 512) return
  throw new Fault("INVALID", `the address of a destination of the kind ${kind} is ${shape}`, {
    notDone: "No destination was proposed.",
  })
}

function isUrl(address: string, schemes: readonly string[]): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname, username, password, hash } = new URL(address)
  const isPlain = username === "" && password === "" && hash === ""
  const isHost = isIP(hostname.replace(/^\[|\]$/g, "")) > 0 || /^[a-z0-9.-]+$/i.test(hostname)
  return schemes.includes(protocol) && isPlain && isHost
}

/** The address, from the opening of the entry that proposed it; `null` once that was destroyed. */
export async function addressOf(
  house: House,
  { entry }: Pick<DestinationState, "entry">,
): Promise<string | null> {
  const opening = (await house.ledger.openings(entry)).find(({ field }) => field === "address")
  return opening === undefined ? null : openText(house.keys.root, "address", opening.value)
}

/** What the second person of a motion must see: the address, and the salt that proves it is the one committed to. */
export async function proposedAddress(
  house: House,
  { act, subject }: Records["motion"],
): Promise<{ readonly address?: { readonly value: string; readonly salt: string } }> {
  const held =
    act === "add-destination" && subject !== null ? await recordOf(house, "destination", subject) : null
  if (held === null) return {}
  const opening = (await house.ledger.openings(held.entry)).find(({ field }) => field === "address")
  const value = opening === undefined ? null : openText(house.keys.root, "address", opening.value)
  return value === null || opening === undefined ? {} : { address: { value, salt: base64(opening.salt) } }
}

/** A destination with how it stands. */
export interface Shown extends DestinationState {
  readonly address: string | null
  readonly backlog: Backlog
}

async function shown(house: House, destination: DestinationState): Promise<Shown> {
  const backlog = await house.ledger.backlog(destination.destination, house.log.clock())
  return { ...destination, address: await addressOf(house, destination), backlog }
}

/** Those that are told, and with `all` also those that were, and those that wait for a second person. */
export async function destinationsOf(
  house: House,
  { all }: { readonly all: boolean },
): Promise<readonly Shown[]> {
  const found: Shown[] = []
  for await (const each of recordsOf(house, "destination"))
    if (all || each.status === "active") found.push(await shown(house, each))
  return found
}

const newest = 50

/** @throws Fault NOT_FOUND */
export async function destinationOf(
  house: House,
  id: string,
): Promise<Shown & { readonly messages: readonly HeldMessage[] }> {
  const held = await recordOf(house, "destination", id)
  if (held === null) throw new Fault("NOT_FOUND", "there is no such destination")
  const messages = await house.ledger.newestMessages({ destination: id, limit: newest })
  return { ...(await shown(house, held)), messages }
}

/** A person asks whether a destination is reached: the entry tells it, like any other. */
export async function testDestination(
  house: House,
  caller: Caller,
  destination: string,
): Promise<Registered> {
  const statement = caller.statement as EntryOf<"destination.tested">["statement"]
  const { asked, person } = caller
  const draft: Draft = { kind: "destination.tested", destination, person: person.person, asked, statement }
  const records = [{ kind: "destination", id: destination }]
  const { index } = await propose(house, caller, { of: "message", draft, records })
  return { id: destination, entry: index }
}

/** Has a message sent again, whatever became of it. @throws Fault NOT_FOUND */
export async function resendMessage(house: House, caller: Caller, message: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"message.resent">["statement"]
  const { asked, person } = caller
  if ((await house.ledger.message(message)) === null) throw new Fault("NOT_FOUND", "there is no such message")
  const draft: Draft = { kind: "message.resent", message, person: person.person, asked, statement }
  const { index } = await propose(house, caller, { of: "message", draft, records: [] })
  await house.ledger.resendMessage(message, house.log.clock())
  return { id: message, entry: index }
}

/**
 * Nobody took a message for three days: an entry says so, and tells the other destinations. Of what the log must not say there is no
 * such entry: the destination's backlog shows it, and `canary touches`.
 */
export async function abandon(
  house: House,
  { id, destination, event, attempts }: HeldMessage,
): Promise<void> {
  if (isBeside(event)) return
  const name = event as EventName
  const draft: Draft = { kind: "message.abandoned", message: id, destination, event: name, attempts }
  const signal = { kind: "signal", id: signalName(destination, "message_abandoned") }
  const wanted = wanting({ records: [{ kind: "destination", id: destination }, signal] })
  await house.log.append({
    wanted,
    draft: (state, now_ms) => {
      const code = judge(draft, state, now_ms)
      if (code !== null) throw new Fault(code, "the destination is not in the log")
      return { entry: draft }
    },
  })
}

/** Whether a person took what a later rung would be told of: then it is not told. */
export async function isTaken(house: House, message: HeldMessage): Promise<boolean> {
  const { subject, event } = message
  const entry = message.entry ?? canaryEntry(message)
  if (isId(subject, "alt")) return (await recordOf(house, "alert", subject))?.acknowledged != null
  const what = alertOf[event as EventName]
  if (what !== undefined && entry !== null) {
    const newest = await recordOf(house, "signal", signalName(subject, what))
    // A later alert of the same kind opens only once somebody took this one.
    return newest !== null && (newest.acknowledged !== null || newest.entry > entry)
  }
  return entry !== null && (await house.ledger.member(names.notices, permitName(entry))) === noticeSeen
}

/** The entry that a message beside the log is about. */
function canaryEntry({ event, body }: HeldMessage): number | null {
  return isBeside(event) ? (JSON.parse(body) as { data: { entry: number } }).data.entry : null
}

/** Whether the log must not say that this was told. */
function isBeside(event: string): boolean {
  return event === ("canary.touched" satisfies EventName)
}
