import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { rm } from "node:fs/promises"
import { afterAll, beforeAll, expect, test } from "vitest"
import { addDestination } from "../destinations.ts"
import { grantOf, openTestPort, type TestPort } from "../port.ts"
import {
  certificate,
  httpReceiver,
  mailServer,
  syslogReceiver,
  until,
  type HttpReceiver,
  type MailServer,
  type SyslogReceiver,
} from "../receivers.ts"
import { clientFor, startServer, type TestServer } from "../server.ts"

/** One refused request of a vendor, to every kind of destination, through a server as an operator runs it. */

const needsTls = certificate === null ? " (skipped: no openssl to make a certificate with)" : ""

let port: TestPort
let server: TestServer
let hook: HttpReceiver
let siem: SyslogReceiver
let mail: MailServer
let grant: string

const loopback = ["127.0.0.0/8", "::1/128"]

beforeAll(async () => {
  if (certificate === null) return
  hook = await httpReceiver()
  siem = await syslogReceiver(certificate)
  mail = await mailServer(certificate)
  const tls = { host: "localhost", port: mail.port, tls: "starttls", from: "vault@agency.example" } as const
  port = await openTestPort({
    settings: {
      smtp: { ...tls, user: "vault", password_file: "keys/smtp.password" },
      outbox_ca: "ca.pem",
      outbox_networks: { hook: loopback, siem: loopback },
    },
    prepare: async data => {
      await writeFile(join(data, "keys", "smtp.password"), "s3cret\n", { mode: 0o600 })
      await writeFile(join(data, "ca.pem"), certificate!.cert)
    },
  })
  const events = ["refused.budget"] as const
  await addDestination(port, { name: "hook", kind: "webhook", events, address: hook.url })
  const address = `syslog+tls://127.0.0.1:${siem.port}`
  await addDestination(port, { name: "siem", kind: "syslog", events, address })
  await addDestination(port, { name: "soc", kind: "email", events, address: "soc@agency.example" })
  grant = await grantOf(port)
  await port.opened.close()
  server = await startServer(port.data)
})
afterAll(async () => {
  if (certificate === null) return
  await server.kill("SIGTERM")
  await Promise.all([hook.close(), siem.close(), mail.close()])
  await rm(port.data, { recursive: true, force: true })
})

test.skipIf(certificate === null)(
  `a draw of the whole archive is refused, and the agency hears of it by webhook, mail and syslog${needsTls}`,
  async () => {
    const engineer = clientFor(port.people.engineer, server.url, "sallyport.example/test")
    const statement = { grant, count: 38_000, captures: null }
    const headers = { "idempotency-key": "whole-archive-2019" }
    const asked = engineer.json({ method: "POST", path: "/v1/draws", statement, headers })
    await expect(asked).rejects.toMatchObject({ code: "GRANT_BUDGET" })
    await until(() => hook.received.length + siem.received.length + mail.received.length === 3, "all three")
    const { person } = port.people.engineer
    const { data } = JSON.parse(hook.received[0]!.body) as { data: object }
    expect(data).toMatchObject({ person, code: "GRANT_BUDGET", act: "draw", grant })
    expect(siem.received[0]).toContain(`"uid":"${person}"`)
    expect(mail.received[0]).toMatchObject({ to: ["soc@agency.example"], isEncrypted: true, user: "vault" })
    const uid = String(hook.received[0]!.headers["webhook-id"])
    for (const text of [hook.received[0]!.body, siem.received[0]!, mail.received[0]!.text])
      expect(text).not.toMatch(/Planted|SP7X042/)
    expect(mail.received[0]!.text).not.toContain(uid)
  },
)
