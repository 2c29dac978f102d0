import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Client } from "../src/cli/client.ts"
import { assert, Fault } from "../src/fault.ts"
import { newId } from "../src/ids.ts"
import type { EventName } from "../src/log/event-table.ts"
import { addDestination } from "./destinations.ts"
import { takeInPlain } from "./flat.ts"
import { grantOf, openTestPort, type TestPort } from "./port.ts"
import {
  certificate,
  httpReceiver,
  mailServer,
  syslogReceiver,
  type HttpReceiver,
  type MailServer,
  type SyslogReceiver,
} from "./receivers.ts"
import { clientFor, startServer, type TestServer } from "./server.ts"

/** The shape of 2019: a vendor's engineer with a small grant comes five times and asks for far more than it gives. */
export interface Story {
  readonly port: TestPort
  readonly server: TestServer
  readonly hook: HttpReceiver
  readonly siem: SyslogReceiver
  readonly mail: MailServer
  readonly grant: string
  /** What the grant names, and what else the vault holds. */
  readonly listed: readonly string[]
  readonly others: readonly string[]
  close(): Promise<void>
}

export const told = [
  ...["refused.budget", "refused.unknown", "refused.scope", "refused.rate"],
  ...["watch.step_up", "watch.suspended"],
] as readonly EventName[]

const loopback = ["127.0.0.0/8", "::1/128"]

/** A vault as an operator runs it, with budgets on, and its three kinds of receivers. @throws without openssl. */
export async function openStory(): Promise<Story> {
  assert(certificate !== null, "openssl makes a certificate")
  const { cert } = certificate
  const [hook, siem, mail] = [
    await httpReceiver(),
    await syslogReceiver(certificate),
    await mailServer(certificate),
  ]
  const smtp = { host: "localhost", port: mail.port, tls: "starttls", from: "vault@agency.example" } as const
  const port = await openTestPort({
    settings: {
      smtp: { ...smtp, user: "vault", password_file: "keys/smtp.password" },
      outbox_ca: "ca.pem",
      outbox_networks: { hook: loopback, siem: loopback },
    },
    prepare: async data => {
      await writeFile(join(data, "keys", "smtp.password"), "s3cret\n", { mode: 0o600 })
      await writeFile(join(data, "ca.pem"), cert)
    },
  })
  const address = `syslog+tls://127.0.0.1:${siem.port}`
  await addDestination(port, { name: "hook", kind: "webhook", events: told, address: hook.url })
  await addDestination(port, { name: "siem", kind: "syslog", events: told, address })
  await addDestination(port, { name: "soc", kind: "email", events: told, address: "soc@agency.example" })
  const captures = await takeInPlain(port, 10)
  const [listed, others] = [captures.slice(0, 4), captures.slice(4)]
  const grant = await grantOf(port, { terms: { captures: listed, images: 4, releases: 12 } })
  await port.opened.close()
  const server = await startServer(port.data)
  const close = async () => {
    await server.kill("SIGTERM")
    await Promise.all([hook.close(), siem.close(), mail.close()])
    await rm(port.data, { recursive: true, force: true })
  }
  return { port, server, hook, siem, mail, grant, listed, others, close }
}

export interface Visit {
  /** Images that came out. */
  readonly left: readonly string[]
  /** By code, how often he was refused. */
  readonly refused: ReadonlyMap<string, number>
}

const atOnce = 8

/**
 * One visit: a draw of the whole archive, and then each image by itself. Of the images that he asks for the vault holds few; it says
 * of none whether it does.
 * @param images  how many images he asks for.
 */
export async function visit({ port, server, grant, others }: Story, images: number): Promise<Visit> {
  const engineer = clientFor(port.people.engineer, server.url, "sallyport.example/test")
  const [left, refused] = [[] as string[], new Map<string, number>()]
  const count = (code: string) => refused.set(code, (refused.get(code) ?? 0) + 1)
  const headers = { "idempotency-key": newId("req") }
  const whole = { grant, count: 38_000, captures: null }
  const plan = engineer.json({ method: "POST", path: "/v1/draws", statement: whole, headers })
  await plan.then(() => count("planned"), codeInto(count))
  let next = 0
  const worker = async () => {
    for (let nth = next++; nth < images; nth = next++) {
      const capture = others[nth] ?? newId("cap")
      await take(engineer, { grant, capture }).then(() => left.push(capture), codeInto(count))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { left, refused }
}

function codeInto(count: (code: string) => void) {
  return (error: unknown) => {
    if (!(error instanceof Fault)) throw error
    count(error.code)
  }
}

/** The bytes of one image, over HTTP. @throws Fault */
export async function take(client: Client, of: { grant: string; capture: string }): Promise<void> {
  const statement = { ...of, level: "L2" }
  await (await client.send({ method: "POST", path: "/v1/releases", statement })).arrayBuffer()
}
