import { rm, writeFile } from "node:fs/promises"
import { cpus } from "node:os"
import { join } from "node:path"
import { addDestination } from "../test/destinations.ts"
import { openTestPort } from "../test/port.ts"
import { certificate, httpReceiver, mailServer, syslogReceiver } from "../test/receivers.ts"
import { clientFor, startServer } from "../test/server.ts"

/** How long after a request that tells something its receivers have it, end to end. Nothing here is asserted. */

const rounds = 40

if (certificate === null) throw new Error("no openssl to make a certificate with")
const { cert } = certificate
const [hook, siem, mail] = [await httpReceiver(), await syslogReceiver(certificate), await mailServer(null)]
const loopback = ["127.0.0.0/8"]
const smtp = { host: "127.0.0.1", port: mail.port, tls: "offered", from: "vault@agency.example" } as const
const port = await openTestPort({
  settings: {
    smtp: { ...smtp, user: null, password_file: null },
    outbox_ca: "ca.pem",
    outbox_networks: { hook: loopback, siem: loopback },
  },
  prepare: data => writeFile(join(data, "ca.pem"), cert),
})
const events = ["person.suspended"] as const
await addDestination(port, { name: "hook", kind: "webhook", events, address: hook.url })
await addDestination(port, {
  name: "siem",
  kind: "syslog",
  events,
  address: `syslog+tls://127.0.0.1:${siem.port}`,
})
await addDestination(port, { name: "soc", kind: "email", events, address: "soc@agency.example" })
await port.opened.close()
const server = await startServer(port.data)
const privacy = clientFor(port.people.privacy, server.url, "sallyport.example/test")
const { person } = port.people.colleague
const receivers = { webhook: hook, "syslog over TLS": siem, mail }
const waits: Record<string, number[]> = { webhook: [], "syslog over TLS": [], mail: [] }

for (let i = 0; i < rounds; i += 1) {
  const start_ms = performance.now()
  const statement = { suspended: i % 2 === 0 }
  await privacy.json({ method: "POST", path: `/v1/people/${person}/suspension`, statement })
  await Promise.all(
    Object.entries(receivers).map(async ([name, { received }]) => {
      while (received.length <= i) await new Promise(resolve => setTimeout(resolve, 2))
      waits[name]?.push(performance.now() - start_ms)
    }),
  )
}

console.log(`${rounds} entries, ${cpus().length} × ${cpus()[0]?.model ?? ""}, Node ${process.version}`)
for (const [name, all] of Object.entries(waits)) {
  const sorted = all.sort((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  console.log(`${name.padEnd(16)} median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`)
}
await server.kill("SIGTERM")
await Promise.all([hook.close(), siem.close(), mail.close()])
await rm(port.data, { recursive: true, force: true })
