import { spawnSync } from "node:child_process"
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { chacha20 } from "../../src/chacha20.ts"
import { examine } from "../../src/custody/examine.ts"
import type { House } from "../../src/custody/house.ts"
import { Fault } from "../../src/fault.ts"
import { names } from "../../src/log/state.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { postCapture } from "../../src/lane/post.ts"
import { openHouse } from "../../src/sallyport.ts"
import { openBody } from "../../src/seal/body.ts"
import { unwrapHeader } from "../../src/seal/header.ts"
import { bodyName, sha256Hex } from "../../src/vault/vault.ts"
import { grantOf, openTestPort, sealShot, type TestPort } from "../port.ts"
import { clientFor, startServer, type TestServer } from "../server.ts"

/** Named moments between two writes; each is hit at its first, second and third passage. */
const failpoints = [
  "objects.before-link",
  "objects.after-link",
  "admit.stored",
  "ledger.before-commit",
  "ledger.after-commit",
  "log.stored",
  "admit.appended",
  "examine.permitted",
  "examine.found",
  "release.permitted",
  "release.withdrawn",
  "release.delivered",
]
const budget = 5

/** What the outside was told: it must survive. */
interface Told {
  readonly captures: Set<string>
  readonly copies: {
    readonly capture: string
    readonly permit: number
    readonly delivered: number
    readonly sha256: string
  }[]
}

let port: TestPort
let picture: Uint8Array
let grant: string
const told: Told = { captures: new Set(), copies: [] }

beforeAll(async () => {
  port = await openTestPort()
  picture = new Uint8Array(
    await sharp({ create: { width: 640, height: 400, channels: 3, background: "#567" } })
      .jpeg()
      .toBuffer(),
  )
  grant = await grantOf(port, { terms: { images: budget, releases: 10 * budget } })
  await port.opened.close()
})
afterAll(async () => {
  await rm(port.data, { recursive: true, force: true })
})

/** Captures in, images out, over HTTP, until the server is gone; remembers what was acknowledged. */
async function work(server: TestServer, rounds: number): Promise<void> {
  const engineer = clientFor(port.people.engineer, server.url, "sallyport.example/test")
  const plates = [{ text: "SP7X042", box: { x_px: 200, y_px: 200, width_px: 90, height_px: 30 } }]
  for (let i = 0; i < rounds; i += 1) {
    const { bytes } = await sealShot(port, {
      picture,
      event: { v: 1, source: "index", file: null, plates, faces: [] },
    })
    const admitted = await postOnce(server.url, bytes)
    told.captures.add(admitted)
    const known = [...told.captures]
    for (const capture of [known[i % known.length]!, admitted]) {
      const response = await engineer
        .send({ method: "POST", path: "/v1/releases", statement: { grant, capture, level: "L2" } })
        .catch((error: unknown) => {
          // A refusal is an answer; only a server that is gone ends the work.
          if (error instanceof Fault && error.code !== "NO_SERVER" && error.code !== "INTERNAL") return null
          throw error
        })
      if (response === null) continue
      const image = (await response.formData()).get("image") as Blob
      const sha256 = sha256Hex(new Uint8Array(await image.arrayBuffer()))
      const index = (name: string) => Number(response.headers.get(name))
      told.copies.push({
        capture,
        permit: index("sallyport-permit"),
        delivered: index("sallyport-delivered"),
        sha256,
      })
    }
  }
}

async function postOnce(url: string, bytes: Uint8Array): Promise<string> {
  const headers = { "content-type": "application/vnd.sallyport.capture" }
  const response = await fetch(`${url}/v1/captures`, { method: "POST", headers, body: Buffer.from(bytes) })
  return ((await response.json()) as { capture: string }).capture
}

/** After a restart, on what is stored alone. */
async function check(data: string, of: Told, grantId: string): Promise<void> {
  const opened = await openHouse({ data })
  const { house } = opened
  try {
    expect(opened.fsck.problems).toEqual([])
    expect(house.vault.gate.stopped).toBeNull()
    for (const capture of of.captures) await opens(house, capture)
    for (const copy of of.copies) await isLogged(house, copy)
    expect(await house.ledger.counter(names.images(grantId))).toBeLessThanOrEqual(budget)
    expect(
      (await house.ledger.members({ set: names.released(grantId), limit: 1000 })).length,
    ).toBeLessThanOrEqual(budget)
  } finally {
    await opened.close()
  }
}

/** Opens with the keys alone, as an escrow would: no path, no permit. */
async function opens(house: House, capture: string): Promise<void> {
  const row = (await house.ledger.capture(capture))!
  expect(row, `capture ${capture} was acknowledged`).not.toBeNull()
  const key = (await house.ledger.identity(row.sealedTo))!
  const fileKey = await unwrapHeader(row.ageHeader, house.keys.root.unwrap(key.name, key.wrapped!))
  const body = (await house.objects.get(bodyName(capture)))!
  expect(openBody(fileKey!, body, chacha20)).not.toBeNull()
}

async function isLogged(house: House, copy: Told["copies"][number]): Promise<void> {
  const [permit] = await house.log.entries(copy.permit, copy.permit + 1)
  const [delivered] = await house.log.entries(copy.delivered, copy.delivered + 1)
  expect(parseEntry(permit!.bytes)).toMatchObject({ kind: "permit", for: "release", capture: copy.capture })
  expect(parseEntry(delivered!.bytes)).toMatchObject({
    kind: "delivered",
    permit: copy.permit,
    sha256: copy.sha256,
  })
}

describe("kill -9 between two named writes", () => {
  for (const name of failpoints) {
    for (const passage of [1, 2, 3]) {
      test(`${name}, passage ${passage}: what was acknowledged is there, what was released has its permit`, async () => {
        const server = await startServer(port.data, { SALLYPORT_FAILPOINT: `${name}:${passage}` })
        await work(server, 12).catch(() => undefined)
        // A failpoint that is not reached would wait for ever: then the test fails by the signal.
        const late = setTimeout(() => void server.kill("SIGTERM"), 3000)
        expect(await server.ended).toBe("SIGKILL")
        clearTimeout(late)
        expect(server.output()).toContain(`failpoint ${name} hit ${passage}`)
        await check(port.data, told, grant)
      })
    }
  }
})

describe("kill -9 at any moment", () => {
  for (let i = 0; i < 14; i += 1) {
    test(`moment ${i + 1}`, async () => {
      const server = await startServer(port.data)
      const working = work(server, 50).catch(() => undefined)
      await new Promise(resolve => setTimeout(resolve, 60 + i * 37))
      await server.kill("SIGKILL")
      await working
      await check(port.data, told, grant)
    })
  }
})

test("after all of it, every capture that is left can be examined", async () => {
  const opened = await openHouse({ data: port.data })
  for (const row of await opened.house.ledger.captures({ examined: false, limit: 1000 })) {
    await examine(opened.house, row.id, { again: true }).catch((error: unknown) => {
      if (!(error instanceof Fault && error.code === "CONFLICT")) throw error
    })
  }
  await opened.close()
  expect(told.captures.size).toBeGreaterThan(20)
  expect(told.copies.length).toBeGreaterThan(20)
})

const canMount = process.getuid?.() === 0 && process.platform === "linux"

test.skipIf(!canMount)(
  `a full disk (64 MB)${canMount ? "" : " (skipped: needs root to mount one)"}: refused, nothing half-written, and on with room`,
  async () => {
    const disk = await mkdtemp(join(tmpdir(), "sallyport-full-"))
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", disk]).status).toBe(0)
    const full = await openTestPort()
    try {
      const fullGrant = await grantOf(full, { terms: { images: budget } })
      await full.opened.close()
      const data = join(disk, "vault")
      await mkdir(data)
      await cp(full.data, data, { recursive: true })
      const kept: Told = { captures: new Set(), copies: [] }
      const noise = Buffer.from(Array.from({ length: 900 * 900 * 3 }, (_, i) => (i * 2_654_435_761) % 251))
      const large = new Uint8Array(
        await sharp(noise, { raw: { width: 900, height: 900, channels: 3 } })
          .png({ compressionLevel: 0 })
          .toBuffer(),
      )
      const server = await startServer(data)
      let refused = 0
      for (let i = 0; i < 60 && refused < 4; i += 1) {
        const { bytes } = await sealShot(full, { picture: large })
        const response = await fetch(`${server.url}/v1/captures`, {
          method: "POST",
          headers: { "content-type": "application/vnd.sallyport.capture" },
          body: Buffer.from(bytes),
        })
        const answer = (await response.json()) as { capture?: string; code?: string }
        if (answer.capture !== undefined) kept.captures.add(answer.capture)
        else {
          expect(["STORE_FULL", "LOG_UNKNOWN_OUTCOME"]).toContain(answer.code)
          refused += 1
        }
      }
      expect(refused).toBeGreaterThan(0)
      expect(kept.captures.size).toBeGreaterThan(5)
      await server.kill("SIGTERM")
      expect(spawnSync("mount", ["-o", "remount,size=256m", disk]).status).toBe(0)
      await check(data, kept, fullGrant)
      const again = await startServer(data)
      const { bytes } = await sealShot(full, { picture: large })
      expect((await postCapture(again.url, bytes)).entry).toBeGreaterThan(0)
      await again.kill("SIGTERM")
      await writeFile(join(disk, "done"), "")
    } finally {
      spawnSync("umount", ["-l", disk])
      await rm(disk, { recursive: true, force: true })
      await rm(full.data, { recursive: true, force: true })
    }
  },
)
