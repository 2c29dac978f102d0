import { createTransport } from "nodemailer"
import type { HeldMessage } from "../ledger/ledger.ts"
import { eventOf, type EventName } from "../log/event-table.ts"
import { failed, reasonOf, taken, type Way } from "./parcel.ts"
import type { OutboxSettings, Smtp } from "./settings.ts"

/** Longest wait for the server in any phase. */
const silence_ms = 5000

/** Plain text with ids, no plate and no name. Every attempt has the same Message-ID, so that a mailbox can tell repetitions. */
export const email: Way = {
  batch: 1,
  atOnce: 2,
  send: async ([message], { settings, address, signal }) => {
    const { smtp } = settings
    if (smtp === null) return failed("config.json names no smtp server")
    if (message === undefined) return taken
    const transport = createTransport(optionsOf(smtp, settings.ca))
    const stop = () => transport.close()
    signal.addEventListener("abort", stop, { once: true })
    try {
      await transport.sendMail({ from: smtp.from, to: address, ...mailOf(message, settings) })
      return taken
    } catch (error) {
      return failed(sentenceOf(error))
    } finally {
      signal.removeEventListener("abort", stop)
      transport.close()
    }
  },
}

function optionsOf({ host, port, tls, user, password }: Smtp, ca: string | null) {
  return {
    ...{ host, port, secure: tls === "implicit", requireTLS: tls === "starttls" },
    tls: { ...(ca === null ? {} : { ca }), minVersion: "TLSv1.2" as const },
    ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
    ...{ connectionTimeout: silence_ms, greetingTimeout: silence_ms, socketTimeout: silence_ms },
    ...{ dnsTimeout: silence_ms, disableFileAccess: true, disableUrlAccess: true },
  }
}

/** Subject, text and headers of one message. */
export function mailOf(message: HeldMessage, { origin }: Pick<OutboxSettings, "origin">) {
  const { timestamp, data } = JSON.parse(message.body) as { timestamp: string; data: Record<string, unknown> }
  const { severity, sentence } = eventOf(message.event as EventName)
  const facts = Object.entries(data).map(([name, value]) => `${name.padEnd(12)}  ${String(value)}`)
  const [host = "sallyport"] = origin.split("/")
  return {
    subject: `[${severity}] ${message.event} at ${origin}`,
    text: [sentence, "", `${"at".padEnd(12)}  ${timestamp}`, ...facts, "", nextOf(message), ""].join("\n"),
    messageId: `<${message.id}@${host}>`,
    headers: { "X-Sallyport-Message": message.id, "Auto-Submitted": "auto-generated" },
  }
}

function nextOf({ subject, entry }: HeldMessage): string {
  if (subject.startsWith("alt_")) return `sallyport alert show ${subject}`
  return entry === null ? "sallyport log status" : `sallyport log entry ${entry}`
}

/** The server's word without what it repeats of the address. */
function sentenceOf(error: unknown): string {
  const { responseCode, code } = error as { responseCode?: number; code?: string }
  if (responseCode !== undefined) return `the mail server answered ${responseCode}`
  return code === "ETIMEDOUT" || code === "ECONNECTION" ? `no mail server answers (${code})` : reasonOf(error)
}
