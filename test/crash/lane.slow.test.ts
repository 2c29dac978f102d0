import { spawnSync } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, expect, test } from "vitest"
import { chacha20 } from "../../src/chacha20.ts"
import type { House } from "../../src/custody/house.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { openHouse } from "../../src/sallyport.ts"
import { openBody } from "../../src/seal/body.ts"
import { unpackContents } from "../../src/seal/contents.ts"
import { unwrapHeader } from "../../src/seal/header.ts"
import { bodyName } from "../../src/vault/vault.ts"
import type { CaptureRow } from "../../src/ledger/ledger.ts"
import {
  clearBytes,
  enrollReader,
  peakMemory_mb,
  standBetween,
  startAgent,
  type Between,
  type TestAgent,
} from "../lane-agent.ts"
import { openTestPort, type TestPort } from "../port.ts"
import { startServer, type TestServer } from "../server.ts"

/** A day at a lane, in little: SALLYPORT_LANE_CAPTURES=10000 makes it whole. */
const captures = Number(process.env.SALLYPORT_LANE_CAPTURES ?? "600")
const kills = 30
const seed = Number(process.env.SALLYPORT_TEST_SEED ?? Date.now() % 1_000_000)
const pushers = 4
/** Small pictures: what is judged is their number, and a page of a disk each is enough to fill it. */
const disk_kb = Math.max(700, Math.floor(captures * 1.2))
const canMount = process.getuid?.() === 0 && process.platform === "linux"

let state = seed
/** 0 ≤ chance() < 1, from the printed seed. */
const chance = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

let port: TestPort
let reader: string
let lane: string
let spool: string
let server: TestServer
let between: Between
let base: Buffer

beforeAll(async () => {
  port = await openTestPort()
  const enrolled = await enrollReader(port)
  reader = enrolled.reader
  await port.opened.close()
  lane = await mkdtemp(join(tmpdir(), "sallyport-lane-"))
  spool = join(lane, "spool")
  await mkdir(spool)
  if (canMount) {
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${disk_kb}k`, "tmpfs", spool])
    expect(mounted.status).toBe(0)
  }
  await writeFile(join(lane, "reader.key"), enrolled.keyFile)
  server = await startServer(port.data)
  between = await standBetween(server.url)
  base = await sharp({ create: { width: 64, height: 40, channels: 3, background: "#567" } })
    .jpeg()
    .toBuffer()
})
afterAll(async () => {
  await between.be("away")
  await server.kill("SIGTERM")
  if (canMount) spawnSync("umount", ["-l", spool])
  await rm(lane, { recursive: true, force: true })
  await rm(port.data, { recursive: true, force: true })
})

/** A JPEG of its own: a comment segment says which it is, and what plate it shows. */
function pictureOf(index: number): Buffer {
  const comment = Buffer.from(`PLANTED ${index} SP7X042;`)
  const length = Buffer.from([0xff, 0xfe, 0, comment.length + 2])
  return Buffer.concat([base.subarray(0, 2), length, comment, base.subarray(2)])
}

const indexOf = (picture: Uint8Array) =>
  Number(/PLANTED (\d+) SP7X042;/.exec(Buffer.from(picture).toString("latin1"))?.[1] ?? NaN)

/** The agent, as a supervisor keeps it: started again whenever it was killed, and only then. */
class Supervised {
  agent: TestAgent | null = null
  kills = 0
  peak_mb = 0
  readonly #port: number

  constructor(at: number) {
    this.#port = at
  }

  async start(): Promise<void> {
    const bound = canMount ? [] : ["--spool-files", String(Math.floor(captures / 5))]
    this.agent = await startAgent([
      ...["serve", "--reader", "picture", "--key", join(lane, "reader.key"), "--spool", spool],
      ...["--server", between.url, "--longest-wait", "1", "--listen", `127.0.0.1:${this.#port}`],
      ...bound,
    ])
  }

  async killAtOnce(): Promise<void> {
    const { agent } = this
    expect(agent).not.toBeNull()
    this.peak_mb = Math.max(this.peak_mb, await peakMemory_mb(agent!.pid))
    expect(await agent!.kill("SIGKILL"), agent!.output()).toBe("SIGKILL")
    this.kills += 1
    await this.start()
  }
}

interface Pushing {
  /** The number that the agent acknowledged each picture with. */
  readonly told: Map<number, number>
  full: number
  isDone: boolean
}

/** Pushes every picture until it is acknowledged, as a reader with a memory does. */
async function push(url: string, pushing: Pushing): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < captures; index = next++) {
      const body = pictureOf(index)
      for (;;) {
        const headers = { "content-type": "image/jpeg" }
        const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) }).catch(
          () => null,
        )
        const answer = (await response?.json().catch(() => null)) as {
          sequences?: number[]
          code?: string
        } | null
        if (response?.status === 200 && answer?.sequences?.length === 1) {
          pushing.told.set(index, answer.sequences[0]!)
          break
        }
        if (answer?.code === "STORE_FULL") pushing.full += 1
        await pause(20 + 60 * Math.random())
      }
    }
  }
  await Promise.all(Array.from({ length: pushers }, worker))
  pushing.isDone = true
}

/** Waits until so many are acknowledged, or the spool was full. */
async function until(holds: () => boolean, what: string): Promise<void> {
  for (let left = 60_000; left > 0; left -= 1) {
    if (holds()) return
    await pause(10)
  }
  throw new Error(`it never came to this: ${what}`)
}

/** The disk of the lane is full while the vault is away; the agent is killed in that state too. */
async function fillDisk(agent: Supervised, pushing: Pushing, mode: "busy" | "away"): Promise<void> {
  await between.be(mode)
  const before = pushing.full
  await until(() => pushing.full > before + 3 || pushing.isDone, "a full disk")
  expect(pushing.isDone, "the disk was full before the day ended").toBe(false)
  expect((await agent.agent!.health()).alarms.map(({ alarm }) => alarm)).toContain("spool_full")
  await agent.killAtOnce()
  const held = await agent.agent!.health()
  expect(held.spool.files).toBeGreaterThan(10)
  await pause(500)
  await between.be("open")
}

test(
  `a day of ${captures} captures, ${kills} kills, a ${canMount ? "disk" : "spool (no root to mount a disk)"} that is full twice, a vault that is away (seed ${seed}): each acknowledged picture is in the vault once, in order, without a gap, and never in the clear on the lane`,
  { timeout: 3_600_000 },
  async () => {
    const agent = new Supervised(20_000 + (process.pid % 20_000))
    await agent.start()
    const url = agent.agent!.where
    const pushing: Pushing = { told: new Map(), full: 0, isDone: false }
    const scans = { count: 0, bytes: 0, found: [] as string[] }
    const scan = async () => {
      const { found, bytes } = await clearBytes([lane])
      scans.count += 1
      scans.bytes += bytes
      scans.found.push(...found)
    }
    const began_ms = performance.now()
    const pushed = push(url, pushing)
    // Random moments of the day, the two full disks at a third and two thirds of it.
    const moments = Array.from({ length: kills - 2 }, () => Math.floor(chance() * captures * 0.97))
    const day = [
      ...moments.map(at => ({ at, act: () => agent.killAtOnce() })),
      { at: Math.floor(captures * 0.2), act: () => fillDisk(agent, pushing, "busy") },
      { at: Math.floor(captures * 0.55), act: () => fillDisk(agent, pushing, "away") },
      { at: Math.floor(captures * 0.45), act: restartVault },
      ...Array.from({ length: 20 }, (_, i) => ({ at: Math.floor((captures * i) / 20), act: scan })),
    ].sort((a, b) => a.at - b.at)
    for (const { at, act } of day) {
      await until(() => pushing.told.size >= at || pushing.isDone, `${at} acknowledged`)
      await pause(chance() * 120)
      await act()
    }
    await pushed
    await scan()
    await drained(agent)
    await scan()
    agent.peak_mb = Math.max(agent.peak_mb, await peakMemory_mb(agent.agent!.pid))
    const last = await agent.agent!.health()
    const seconds = Math.round((performance.now() - began_ms) / 1000)
    process.stderr.write(
      `lane day: ${captures} captures in ${seconds} s, ${agent.kills} kills, ${pushing.full} times put off as full, ${between.asked()} requests to the vault, ${scans.count} scans of ${Math.round(scans.bytes / 1e6)} MB, peak memory ${agent.peak_mb} MB\n`,
    )
    expect(last).toMatchObject({ gaps: [], sequence: { numbered: captures, settled: captures } })
    expect(last.spool.refused_files).toBe(0)
    expect(await agent.agent!.kill("SIGTERM")).toBe("0")
    expect(agent.kills).toBe(kills)
    expect(scans.found).toEqual([])
    expect(pushing.told.size).toBe(captures)
    await server.kill("SIGTERM")
    await check(port.data, pushing.told, reader)
  },
)

/** Between two writes of the agent, in the order in which a capture passes them. */
const failpoints = [
  "lane.recorded",
  "lane.written",
  "lane.linked",
  "lane.flushed",
  "lane.admitted",
  "lane.marked",
  "lane.settled",
]

test("kill -9 between each two writes of the agent: each acknowledged picture is in the vault once, in order", async () => {
  const own = await openTestPort()
  const enrolled = await enrollReader(own)
  await own.opened.close()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-lane-"))
  const vault = await startServer(own.data)
  try {
    const key = join(folder, "reader.key")
    await writeFile(key, enrolled.keyFile)
    const words = ["serve", "--reader", "picture", "--key", key, "--spool", join(folder, "spool")]
    const start = (environment = {}) =>
      startAgent(
        [...words, "--server", vault.url, "--longest-wait", "1", "--listen", "127.0.0.1:0"],
        environment,
      )
    const told = new Map<number, number>()
    const pushAll = async (agent: TestAgent, until: number) => {
      for (let index = told.size; index < until; index += 1) {
        const headers = { "content-type": "image/jpeg" }
        const body = new Uint8Array(pictureOf(index))
        const response = await fetch(agent.where, { method: "POST", headers, body })
        expect(response.status).toBe(200)
        told.set(index, ((await response.json()) as { sequences: number[] }).sequences[0]!)
      }
    }
    for (const name of failpoints) {
      const before = told.size
      const agent = await start({ SALLYPORT_FAILPOINT: `${name}:3` })
      await pushAll(agent, before + 6).catch(() => undefined)
      // What is sent without being asked for may reach the point a little later.
      const late = setTimeout(() => void agent.kill("SIGTERM"), 10_000)
      expect(await agent.ended, name).toBe("SIGKILL")
      clearTimeout(late)
      expect(agent.output()).toContain(`failpoint ${name} hit 3`)
      const again = await start()
      await pushAll(again, before + 6)
      expect((await clearBytes([folder])).found).toEqual([])
      expect(await again.kill("SIGTERM")).toBe("0")
    }
    const last = await start()
    for (let left = 600; left > 0 && (await last.health()).spool.files > 0; left -= 1) await pause(50)
    expect(await last.health()).toMatchObject({ gaps: [], sequence: { settled: told.size } })
    await last.kill("SIGTERM")
    await vault.kill("SIGTERM")
    await check(own.data, told, enrolled.reader)
  } finally {
    await vault.kill("SIGTERM")
    await rm(folder, { recursive: true, force: true })
    await rm(own.data, { recursive: true, force: true })
  }
})

test("the scan finds a picture and a plate where there is one", async () => {
  const control = await mkdtemp(join(tmpdir(), "sallyport-control-"))
  try {
    await writeFile(join(control, "spool"), Buffer.concat([Buffer.alloc(1000, 7), pictureOf(1)]))
    const { found } = await clearBytes([control])
    expect(found.map(each => each.split(": ")[1])).toEqual(["JPEG tables", "planted plate"])
    await writeFile(join(control, "spool"), pictureOf(1))
    expect((await clearBytes([control])).found.join()).toContain("begins as a JPEG")
    const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#567" } })
      .png()
      .toBuffer()
    const webp = await sharp(png).webp().toBuffer()
    const jfif = Buffer.from("ffd8ffe000104a46494600", "hex")
    await writeFile(join(control, "spool"), Buffer.concat([png, webp, jfif]))
    expect((await clearBytes([control])).found.map(each => each.split(": ")[1])).toEqual([
      "JFIF",
      "PNG",
      "WebP",
    ])
  } finally {
    await rm(control, { recursive: true, force: true })
  }
})

/** The vault is killed too, stays away for a while, and comes back at another address. */
async function restartVault(): Promise<void> {
  await server.kill("SIGKILL")
  await pause(1500)
  server = await startServer(port.data)
  between.target = server.url
}

async function drained(agent: Supervised): Promise<void> {
  for (let left = 6000; left > 0; left -= 1) {
    const health = await agent.agent!.health().catch(() => null)
    if (health?.spool.files === 0) return
    await pause(100)
  }
  throw new Error("the spool never drained")
}

/** On what the vault holds alone: the keys open every capture, as an escrow would. */
async function check(data: string, told: ReadonlyMap<number, number>, of: string): Promise<void> {
  const opened = await openHouse({ data })
  try {
    const { house } = opened
    expect(opened.fsck.problems).toEqual([])
    const rows = (await everyCapture(house)).filter(row => row.reader === of)
    rows.sort((a, b) => a.admitted - b.admitted)
    expect(rows.map(row => row.sequence)).toEqual(Array.from({ length: told.size }, (_, i) => i + 1))
    const numbers = new Map<number, number>()
    for (const row of rows) {
      const [entry] = await house.log.entries(row.admitted, row.admitted + 1)
      expect(parseEntry(entry!.bytes)).toMatchObject({ kind: "admitted", gap: 0, sequence: row.sequence })
      const index = indexOf(await pictureIn(house, row))
      expect(numbers.has(index), `picture ${index} is in the vault once`).toBe(false)
      numbers.set(index, row.sequence)
    }
    expect(numbers.size).toBe(told.size)
    for (const [index, sequence] of told) expect(numbers.get(index), `picture ${index}`).toBe(sequence)
  } finally {
    await opened.close()
  }
}

async function everyCapture(house: House): Promise<CaptureRow[]> {
  const rows: CaptureRow[] = []
  for (let after: string | undefined; ;) {
    const page = await house.ledger.captures({ limit: 1000, ...(after === undefined ? {} : { after }) })
    if (page.length === 0) return rows
    rows.push(...page)
    after = page.at(-1)!.id
  }
}

async function pictureIn(house: House, row: CaptureRow): Promise<Uint8Array> {
  const key = (await house.ledger.identity(row.sealedTo))!
  const fileKey = await unwrapHeader(row.ageHeader, house.keys.root.unwrap(key.name, key.wrapped!))
  const plain = openBody(fileKey!, (await house.objects.get(bodyName(row.id)))!, chacha20)
  return unpackContents(plain!)!.picture
}
