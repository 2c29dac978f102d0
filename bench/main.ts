import { createHash, randomBytes } from "node:crypto"
import { link, mkdtemp, open, rm, unlink } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { admit } from "../src/custody/admit.ts"
import { release } from "../src/custody/release.ts"
import { drawCapture } from "../src/drawing/capture.ts"
import { chacha20 } from "../src/chacha20.ts"
import { openBody, sealBody } from "../src/seal/body.ts"
import { undoubted } from "../src/picture/level.ts"
import { keepRegions } from "../src/picture/pixels.ts"
import { measure, type Row } from "./measure.ts"
import { grantOf, openTestPort, releaseCaller, sealShot, takeIn, type TestPort } from "../test/port.ts"

/** Our work beside what a user would pick instead, in one run, as ratios. Nothing here is asserted. */

const clientCounts = [1, 8, 16]

function print(title: string, rows: readonly Row[], ratio: string): void {
  process.stdout.write(
    `\n### ${title}\n| work | clients | per second | median ms | p99 ms | RSS MB |\n|---|---|---|---|---|---|\n`,
  )
  for (const row of rows) {
    const numbers = [
      row.perSecond.toFixed(0),
      row.median_ms.toFixed(2),
      row.p99_ms.toFixed(2),
      row.memory_mb.toFixed(0),
    ]
    process.stdout.write(`| ${row.work} | ${row.clients} | ${numbers.join(" | ")} |\n`)
  }
  process.stdout.write(`\n${ratio}\n`)
}

function ratios(rows: readonly Row[], ours: string, theirs: string): string {
  const of = (work: string, clients: number) =>
    rows.find(row => row.work === work && row.clients === clients)?.perSecond ?? NaN
  return clientCounts
    .map(clients => `${clients}: ${(of(ours, clients) / of(theirs, clients)).toFixed(2)}`)
    .join(", ")
}

async function durableFile(folder: string, bytes: Uint8Array): Promise<void> {
  const name = join(folder, randomBytes(8).toString("hex"))
  const handle = await open(`${name}.tmp`, "wx")
  await handle.writeFile(bytes)
  await handle.datasync()
  await handle.close()
  await link(`${name}.tmp`, name)
  await unlink(`${name}.tmp`)
  const directory = await open(folder, "r")
  await directory.sync()
  await directory.close()
}

async function admissions(port: TestPort, folder: string): Promise<void> {
  const rows: Row[] = []
  const picture = new Uint8Array(randomBytes(150_000))
  for (const clients of clientCounts) {
    const count = clients === 1 ? 150 : 400
    const shots: Uint8Array[] = []
    for (let i = 0; i < count; i += 1) shots.push((await sealShot(port, { picture })).bytes)
    rows.push(
      await measure("durable file of 150 kB", { clients, count, run: () => durableFile(folder, picture) }),
    )
    rows.push(
      await measure("admit 150 kB", {
        clients,
        count,
        run: i => admit(port.house, shots[i] ?? new Uint8Array()),
      }),
    )
  }
  print(
    "admit beside bare durable writes",
    rows,
    `admit / durable file, by clients: ${ratios(rows, "admit 150 kB", "durable file of 150 kB")} (aim ≥ 0.5)`,
  )
}

async function releases(port: TestPort): Promise<void> {
  const rows: Row[] = []
  const drawn = await drawCapture({ seed: "bench", lane: 1, hour: 12, index: 1 })
  const plates = [{ text: drawn.plate.text, box: drawn.plate.box }]
  const captures: string[] = []
  for (let i = 0; i < 40; i += 1)
    captures.push(
      (
        await takeIn(port, {
          picture: drawn.picture,
          event: { v: 1, source: "drawn", file: null, plates, faces: [] },
        })
      ).capture,
    )
  const grant = await grantOf(port, { terms: { images: 100 } })
  sharp.concurrency(1)
  const bare = () => sharp(drawn.picture).jpeg({ quality: 92, chromaSubsampling: "4:4:4" }).toBuffer()
  const findings = {
    width_px: drawn.width_px,
    height_px: drawn.height_px,
    plates: [drawn.plate.box],
    faces: null,
    doubted: undoubted,
  }
  for (const clients of clientCounts) {
    const count = clients === 1 ? 60 : 120
    rows.push(await measure("bare sharp decode + encode", { clients, count, run: bare }))
    rows.push(
      await measure("keep regions, L2", {
        clients,
        count,
        run: () => keepRegions(drawn.picture, { level: "L2" }, findings, null),
      }),
    )
    rows.push(
      await measure("keep regions, L4", {
        clients,
        count,
        run: () => keepRegions(drawn.picture, { level: "L4" }, findings, null),
      }),
    )
    const run = async (i: number) =>
      release(port.house, await releaseCaller(port, { grant, capture: captures[i % captures.length] ?? "" }))
    rows.push(await measure("release, all steps, L2", { clients, count, run }))
  }
  const times = (ours: string) =>
    clientCounts
      .map(clients => {
        const of = (work: string) =>
          rows.find(row => row.work === work && row.clients === clients)?.perSecond ?? NaN
        return `${clients}: ${(of("bare sharp decode + encode") / of(ours)).toFixed(2)}`
      })
      .join(", ")
  print(
    `release of ${((drawn.width_px * drawn.height_px) / 1e6).toFixed(2)} MP beside bare sharp`,
    rows,
    `times bare sharp: release L2 ${times("release, all steps, L2")} (aim ≤ 1.7); keep L4 ${times("keep regions, L4")} (aim ≤ 2.6)`,
  )
}

async function bodies(): Promise<void> {
  const rows: Row[] = []
  const fileKey = new Uint8Array(randomBytes(16))
  for (const size of [150_000, 2_000_000]) {
    const plaintext = new Uint8Array(randomBytes(size))
    const body = sealBody(fileKey, plaintext, { aead: chacha20, nonce: new Uint8Array(randomBytes(16)) })
    const [key, nonce] = [new Uint8Array(32), new Uint8Array(12)]
    const chunks = Array.from({ length: Math.ceil(size / 65_536) }, (_, i) =>
      chacha20.seal(key, nonce, plaintext.subarray(i * 65_536, (i + 1) * 65_536)),
    )
    const name = `${size / 1000} kB`
    rows.push(
      await measure(`node:crypto ChaCha20-Poly1305, ${name}`, {
        clients: 1,
        count: 300,
        run: async () => Promise.resolve(chunks.map(chunk => chacha20.open(key, nonce, chunk))),
      }),
    )
    rows.push(
      await measure(`open a body, ${name}`, {
        clients: 1,
        count: 300,
        run: async () => Promise.resolve(openBody(fileKey, body, chacha20)),
      }),
    )
  }
  const of = (work: string) => rows.find(row => row.work === work)?.median_ms ?? NaN
  const ratio = ["150 kB", "2000 kB"].map(
    name =>
      `${name}: ${(of(`open a body, ${name}`) / of(`node:crypto ChaCha20-Poly1305, ${name}`)).toFixed(2)}`,
  )
  print(
    "opening a sealed body beside the same AEAD",
    rows,
    `times node:crypto: ${ratio.join(", ")} (aim ≤ 2)`,
  )
}

const folder = await mkdtemp(join(tmpdir(), "sallyport-bench-"))
const [cpu] = cpus()
process.stdout.write(
  `${new Date().toISOString().slice(0, 10)}, ${cpu?.model ?? "unknown"}, ${cpus().length} cores, Node ${process.version}, seed ${createHash("sha256").update("bench").digest("hex").slice(0, 8)}\n`,
)
const port = await openTestPort()
await bodies()
await admissions(port, folder)
await releases(port)
await port.close()
await rm(folder, { recursive: true, force: true })
