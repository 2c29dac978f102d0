import { randomBytes } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { drawCapture, type DrawnCapture } from "../src/drawing/capture.ts"
import type { CaptureRow } from "../src/ledger/ledger.ts"
import { sealPicture } from "../src/lane/seal.ts"
import { parseEntry } from "../src/log/kinds.ts"
import { names } from "../src/log/state.ts"
import { openLooker, lookMemory_mb } from "../src/reading/looker.ts"
import { openHouse } from "../src/sallyport.ts"
import { enrollReader, peakMemory_mb, startAgent } from "../test/lane-agent.ts"
import { openTestPort } from "../test/port.ts"
import { startServer } from "../test/server.ts"

/**
 * A lane beside its vault, both as processes of their own on this machine: what sealing costs, how long a capture is on its
 * way until it is admitted and examined, what four times the rate leaves waiting, and what our own finders cost. Nothing
 * here is asserted. `SALLYPORT_FACE_MODEL` names an operator's YuNet, `SALLYPORT_LANE_SECONDS` how long each rate is held.
 */

const seconds = Number(process.env.SALLYPORT_LANE_SECONDS ?? "60")
const faceModel = process.env.SALLYPORT_FACE_MODEL ?? null
const perSecond = 20

const drawn: DrawnCapture[] = []
for (let index = 0; index < 24; index += 1)
  drawn.push(await drawCapture({ seed: "bench", lane: 1 + (index % 4), hour: (7 + 2 * index) % 24, index }))

say(
  `${cpus()[0]?.model ?? "a processor"}, ${cpus().length} cores, Node ${process.versions.node}, load ${(loadavg()[0] ?? 0).toFixed(1)} at the start; pictures of 1024 × 768, ${Math.round(drawn.reduce((sum, each) => sum + each.picture.length, 0) / drawn.length / 1000)} kB on average`,
)
await sealing()
await finders()
for (const rate of [perSecond, 4 * perSecond]) await lane(rate)

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Captures sealed in memory, one after the other, beside encrypting the same bytes with the library for age. */
async function sealing(): Promise<void> {
  const { Encrypter } = await import("age-encryption")
  say("\n### Sealing at the lane\n| work | per second and core |\n|---|---|")
  for (const mode of ["hybrid", "x25519"] as const) {
    const port = await openTestPort({ mode })
    const [recipient = ""] = port.recipients.values()
    const picture = new Uint8Array(randomBytes(200_000))
    const event = { v: 1, source: "none", file: null, plates: [], faces: [] } as const
    const reader = { ...port.reader, vault: port.house.log.origin }
    const shot = { picture, event, capturedAt_ms: Date.now(), kind: "plate" } as const
    const ours = await rate(async i => void (await sealPicture(reader, shot, recipient)).numbered(i + 1))
    const encrypter = new Encrypter()
    encrypter.addRecipient(recipient)
    const theirs = await rate(async () => void (await encrypter.encrypt(picture)))
    say(`| ${mode}: a capture of 200 kB sealed and signed | ${ours.toFixed(0)} |`)
    say(
      `| ${mode}: the same bytes by age-encryption | ${theirs.toFixed(0)}, ratio ${(ours / theirs).toFixed(2)} |`,
    )
    await port.close()
  }
}

/** How often a second of this process's own processor time it is done. */
async function rate(work: (i: number) => Promise<void>): Promise<number> {
  for (let i = 0; i < 5; i += 1) await work(i)
  const start = process.cpuUsage()
  const count = 100
  for (let i = 0; i < count; i += 1) await work(i)
  const { user, system } = process.cpuUsage(start)
  return (count * 1_000_000) / (user + system)
}

/** Our own finders alone, by children as many as there are cores. */
async function finders(): Promise<void> {
  const looker = openLooker({ processes: cpus().length, timeout_ms: 60_000, memory_mb: lookMemory_mb })
  say(
    "\n### Finders alone\n| what is looked for | cpu ms a picture, median | pictures a second |\n|---|---|---|",
  )
  const own = { ownModel: faceModel }
  const agreed = { claims: true, readsAgreed: false, sketches: true }
  const works = [
    ["faces, the default finder", { region: null, faces: { ownModel: null } }],
    ...(faceModel === null ? [] : [["faces, an operator's YuNet", { region: null, faces: own }] as const]),
    ["the plate, the built-in reader", { region: "any", faces: null }],
    [
      "a reader's box agreed with, faces (default), sketch",
      { region: "any", faces: { ownModel: null }, ...agreed },
    ],
    ...(faceModel === null
      ? []
      : [
          [
            "a reader's box agreed with, faces (YuNet), sketch",
            { region: "any", faces: own, ...agreed },
          ] as const,
        ]),
    [
      "no event: plate read, faces (default), sketch",
      { region: "any", faces: { ownModel: null }, sketches: true },
    ],
  ] as const
  for (const [name, { region, faces, ...rest }] of works) {
    const more = { claims: false, readsAgreed: true, sketches: false, ...rest }
    const look = (each: DrawnCapture) =>
      looker.look({
        ...more,
        picture: each.picture,
        region,
        faces,
        claims: more.claims ? [each.plate.box] : [],
      })
    await Promise.all(drawn.slice(0, 6).map(look))
    const start = performance.now()
    const looks = await Promise.all([...drawn, ...drawn].map(look))
    const took_s = (performance.now() - start) / 1000
    const cpu = looks.map(each => each.cpu_ms).sort((a, b) => a - b)
    say(`| ${name} | ${cpu[cpu.length >> 1] ?? 0} | ${(looks.length / took_s).toFixed(1)} |`)
  }
  await looker.close()
}

/** A reader pushes that many events a second for a while; then everything may drain. */
async function lane(eachSecond: number): Promise<void> {
  const port = await openTestPort({
    mode: "hybrid",
    settings: { face_model: faceModel, backlog_captures: 1000 },
  })
  const folder = await mkdtemp(join(tmpdir(), "sallyport-lane-"))
  const { keyFile } = await enrollReader(port, "trusted")
  await writeFile(join(folder, "reader.key"), keyFile)
  await port.opened.close()
  const server = await startServer(port.data)
  const agent = await startAgent([
    ...["serve", "--reader", "platerecognizer", "--key", join(folder, "reader.key")],
    ...["--spool", join(folder, "spool"), "--server", server.url, "--listen", "127.0.0.1:0"],
  ])
  const began_ms = performance.now()
  const acknowledged: number[] = []
  let putOff = 0
  let [mostSpooled, mostWaiting] = [0, 0]
  const watching = setInterval(() => {
    void Promise.all([agent.health(), nowAt(server.url)]).then(([{ spool }, now]) => {
      mostSpooled = Math.max(mostSpooled, spool.files)
      mostWaiting = Math.max(mostWaiting, now.unexamined)
    })
  }, 500)
  const pushes: Promise<void>[] = []
  const count = seconds * eachSecond
  for (let i = 0; i < count; i += 1) {
    const wait_ms = began_ms + (1000 * i) / eachSecond - performance.now()
    if (wait_ms > 0) await new Promise(resolve => setTimeout(resolve, wait_ms))
    pushes.push(
      push(agent.where, drawn[i % drawn.length] as DrawnCapture).then(took_ms => {
        if (took_ms === null) putOff += 1
        else acknowledged.push(took_ms)
      }),
    )
  }
  await Promise.all(pushes)
  const pushed_s = (performance.now() - began_ms) / 1000
  const atEnd = await Promise.all([agent.health(), nowAt(server.url)])
  const drained_s = await drained(agent, server.url)
  clearInterval(watching)
  const memory = [await peakMemory_mb(agent.pid), await peakMemory_mb(server.pid)]
  await agent.kill("SIGTERM")
  await server.kill("SIGTERM")
  const { admitted, examined } = await latencies(port.data)
  say(
    `\n### ${eachSecond} events a second for ${seconds} s, ${faceModel === null ? "the default face finder" : "an operator's YuNet"}`,
  )
  say(
    `pushed in ${pushed_s.toFixed(0)} s: ${acknowledged.length} acknowledged, ${putOff} put off (503: the reader keeps them)`,
  )
  say("| from the event's time to | median ms | p99 ms |\n|---|---|---|")
  say(`| acknowledged: durable at the lane | ${part(acknowledged, 0.5)} | ${part(acknowledged, 0.99)} |`)
  say(`| admitted: in the log | ${part(admitted, 0.5)} | ${part(admitted, 0.99)} |`)
  say(`| examined | ${part(examined, 0.5)} | ${part(examined, 0.99)} |`)
  say(
    `waiting at most: ${mostSpooled} in the spool, ${mostWaiting} to be examined (lanes wait from 1,000 on); at the last push ${atEnd[0].spool.files} and ${atEnd[1].unexamined}; all done ${drained_s.toFixed(0)} s later, ${(examined.length / (pushed_s + drained_s)).toFixed(1)} examined a second over all`,
  )
  say(`peak memory: agent ${memory[0] ?? 0} MB, server ${memory[1] ?? 0} MB, and its children beside it`)
  await rm(folder, { recursive: true, force: true })
  await rm(port.data, { recursive: true, force: true })
}

interface Now {
  readonly unexamined: number
}

async function nowAt(url: string): Promise<Now> {
  return (await (await fetch(`${url}/v1/now`)).json()) as Now
}

/** Plate Recognizer's form, with its box, at this moment. @returns ms until it was acknowledged; `null` when it was put off. */
async function push(url: string, { picture, plate }: DrawnCapture): Promise<number | null> {
  const { x_px, y_px, width_px, height_px } = plate.box
  const box = { xmin: x_px, ymin: y_px, xmax: x_px + width_px, ymax: y_px + height_px }
  const timestamp = new Date().toISOString()
  const result = { box, plate: plate.text.toLowerCase(), score: 0.95, region: { code: "hr", score: 0.5 } }
  const filename = `${randomBytes(6).toString("hex")}.jpg`
  const event = { hook: {}, data: { camera_id: "lane-1", filename, timestamp, results: [result] } }
  const body = new FormData()
  body.set("json", JSON.stringify(event))
  body.set("upload", new Blob([picture as Uint8Array<ArrayBuffer>], { type: "image/jpeg" }), filename)
  const began_ms = performance.now()
  const response = await fetch(url, { method: "POST", body }).catch(() => null)
  await response?.arrayBuffer()
  if (response?.status === 400 || response?.status === 422)
    throw new Error(`the event is not understood: ${response.status}`)
  return response?.status === 200 ? performance.now() - began_ms : null
}

/** Seconds until spool and backlog are empty. */
async function drained(agent: Awaited<ReturnType<typeof startAgent>>, url: string): Promise<number> {
  const began_ms = performance.now()
  for (;;) {
    const [{ spool }, now] = await Promise.all([agent.health(), nowAt(url)])
    if (spool.files === 0 && now.unexamined === 0) return (performance.now() - began_ms) / 1000
    if (performance.now() - began_ms > 1_800_000) throw new Error("the backlog did not drain in half an hour")
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

/** From each capture's time to its entries, ms, by the log's own clock. */
async function latencies(data: string): Promise<{ admitted: number[]; examined: number[] }> {
  const { house, close } = await openHouse({ data })
  const rows: CaptureRow[] = []
  for (let after: { after?: string } = {}; ;) {
    const page = await house.ledger.captures({ limit: 1000, ...after })
    rows.push(...page)
    const last = page.at(-1)
    if (page.length < 1000 || last === undefined) break
    after = { after: last.id }
  }
  const times = new Map<number, number>()
  const { size } = await house.log.head()
  for (let from = 0; from < size; from += 1024)
    for (const row of await house.log.entries(from, Math.min(size, from + 1024))) {
      const entry = parseEntry(row.bytes)
      if (entry !== null) times.set(row.index, Date.parse(entry.at))
    }
  const left = await house.ledger.counter(names.unexamined)
  if (left > 0) say(`${left} were not examined`)
  await close()
  const since = (index: number | null, from_ms: number) => (times.get(index ?? -1) ?? NaN) - from_ms
  return {
    admitted: rows.map(row => since(row.admitted, row.capturedAt_ms)),
    examined: rows.map(row => since(row.examined, row.capturedAt_ms)).filter(Number.isFinite),
  }
}

function part(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
}
