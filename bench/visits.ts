import { cpus } from "node:os"
import { openHouse } from "../src/sallyport.ts"
import { parseEntry } from "../src/log/kinds.ts"
import { openStory, visit } from "../test/visits.ts"

/** The 2019 shape: 38,000 images over five visits, and how long until the agency is told. Nothing here is asserted. */

const images = Number(process.env.SALLYPORT_VISITS_IMAGES ?? 38_000)
const visits = 5

const story = await openStory()
const { hook, siem, mail, port } = story
const texts = {
  webhook: () => hook.received.map(({ body }) => body),
  "syslog over TLS": () => siem.received,
  mail: () => mail.received.map(({ text }) => text),
}
const start_ms = performance.now()
const first: Record<string, Record<string, number>> = {}
const timer = setInterval(() => {
  for (const [name, received] of Object.entries(texts)) {
    const at = (first[name] ??= {})
    const all = received()
    if (all.length > 0) at["first refusal"] ??= performance.now() - start_ms
    if (all.some(text => text.includes("watch.suspended"))) at.suspension ??= performance.now() - start_ms
  }
}, 2)
const left: string[] = []
const codes = new Map<string, number>()
for (let nth = 0; nth < visits; nth += 1) {
  const one = await visit(story, Math.round(images / visits))
  left.push(...one.left)
  for (const [code, times] of one.refused) codes.set(code, (codes.get(code) ?? 0) + times)
}
const took_s = (performance.now() - start_ms) / 1000
await new Promise(resolve => setTimeout(resolve, 2000))
clearInterval(timer)
await story.server.kill("SIGTERM")
const { house, fsck, close } = await openHouse({ data: port.data })
const { size } = await house.log.head()
let evidence = 0
for (let at = 0; at < size; at += 4096)
  for (const row of await house.log.entries(at, Math.min(at + 4096, size))) {
    const entry = parseEntry(row.bytes)
    if (entry?.kind === "refused" && entry.watch !== undefined) evidence += 1
  }
await close()

console.log(
  `${images} images asked for in ${visits} visits, ${took_s.toFixed(0)} s; ${cpus().length} × ${cpus()[0]?.model ?? ""}, Node ${process.version}`,
)
console.log(
  `images outside the grant that left: ${left.length}; requests that the watch looked at: ${evidence}`,
)
console.log(`refused: ${[...codes].map(([code, times]) => `${code} ${times}`).join(", ")}`)
for (const [name, at] of Object.entries(first))
  console.log(
    `${name.padEnd(16)} ${Object.entries(at)
      .map(([what, ms]) => `${what} told after ${Math.round(ms)} ms`)
      .join(", ")}`,
  )
console.log(`the log replays: ${fsck.problems.length === 0 ? "yes" : JSON.stringify(fsck.problems[0])}`)
await story.close()
