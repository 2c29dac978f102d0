import { connect, type TLSSocket } from "node:tls"
import { isIP } from "node:net"
import type { HeldMessage } from "../ledger/ledger.ts"
import { eventOf, type EventName } from "../log/event-table.ts"
import { reach } from "./guard.ts"
import { ocsfOf } from "./ocsf.ts"
import { failed, reasonOf, taken, type Outcome, type Target, type Way } from "./parcel.ts"
import type { OutboxSettings } from "./settings.ts"

/** Facility "log audit". Source: RFC 5424 §6.2.1. */
const facility = 13

/**
 * One message of RFC 5424, whose text is the OCSF event, with its length before it as RFC 5425 §4.3 asks. Its severity is
 * "alert" or "notice".
 */
export function syslogFrame(message: HeldMessage, settings: OutboxSettings): string {
  const { timestamp } = JSON.parse(message.body) as { timestamp: string }
  const severity = eventOf(message.event as EventName).severity === "alarm" ? 1 : 5
  const [host = "-"] = settings.origin.split("/")
  const head = `<${facility * 8 + severity}>1 ${timestamp} ${host} sallyport - ${message.event} -`
  const text = `${head} ${ocsfOf(message, settings)}`
  return `${Buffer.byteLength(text)} ${text}`
}

/**
 * Syslog over TLS. It knows no answer: a message counts as taken when the receiver has closed the connection in order, after
 * ours, and so has read all of it. What the receiver does then nobody can tell.
 */
export const syslog: Way = {
  batch: 100,
  atOnce: 1,
  send: async (messages, target) => {
    const { settings, destination, address } = target
    const { hostname, port } = new URL(address.replace(/^syslog\+tls:/, "https:"))
    const host = hostname.replace(/^\[|\]$/g, "")
    const allowed = settings.networks[destination.name] ?? []
    const reached = await reach(host, { allowed, lookup: settings.lookup })
    if ("why" in reached) return failed(reached.why)
    const at = { host: reached.address, port: port === "" ? 6514 : Number(port), name: host }
    return deliver(messages.map(each => syslogFrame(each, settings)).join(""), at, target)
  },
}

function deliver(
  frames: string,
  { host, port, name }: { readonly host: string; readonly port: number; readonly name: string },
  { settings, signal }: Target,
): Promise<Outcome> {
  const ca = settings.ca === null ? {} : { ca: settings.ca }
  const servername = isIP(name) > 0 ? {} : { servername: name }
  const checked = { ...ca, ...servername, minVersion: "TLSv1.2" as const }
  return new Promise(resolve => {
    const socket: TLSSocket = connect({ host, port, ...checked }, () => socket.end(frames))
    const stop = () => socket.destroy(Object.assign(new Error("late"), { code: "ETIMEDOUT" }))
    signal.addEventListener("abort", stop, { once: true })
    let outcome: Outcome = failed("the receiver broke the connection off")
    socket.resume()
    socket.once("end", () => (outcome = taken))
    socket.once("error", error => (outcome = failed(reasonOf(error))))
    socket.once("close", () => {
      signal.removeEventListener("abort", stop)
      resolve(outcome)
    })
  })
}
