import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { serveWitness } from "../cli/witness.ts"
import { utf8 } from "../bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import { formatCheckpoint } from "../tlog/checkpoint.ts"
import { leafHash } from "../tlog/hash.ts"
import { formatVkey, noteSigner, noteVerifier, openNote, signNote } from "../tlog/note.ts"
import { proveConsistency } from "../tlog/proof.ts"
import { growTiles, tileReader } from "../tlog/tile.ts"
import { emptyFrontier, grow, rootOf } from "../tlog/tree.ts"
import { formatAddCheckpoint } from "../tlog/witness.ts"
import { originId } from "./witness.ts"

const origin = "log.example/two"
const key = signerOf(newSeed())
const signer = noteSigner(origin, key.publicKey, message => key.sign(message))
const leaves = Array.from({ length: 40 }, (_, i) => leafHash(utf8(`entry ${i}`)))
const tiles = growTiles(0, new Map(), leaves)
const read = tileReader(40, level => Promise.resolve(tiles.find(tile => tile.level === level)!.hashes))
const textAt = (size: number) =>
  formatCheckpoint({ origin, size, root: rootOf(grow(emptyFrontier, leaves.slice(0, size))) })

let data: string
let running: Awaited<ReturnType<typeof serveWitness>>
const start = (rate = "500") =>
  serveWitness({ data, name: "ig.example/witness", listen: "127.0.0.1:0", rate })

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "sallyport-witness-"))
  running = await start()
})
afterAll(async () => {
  await running.close()
  await rm(data, { recursive: true })
})

async function post(body: string): Promise<Response> {
  return fetch(`${running.url}/add-checkpoint`, { method: "POST", body })
}
async function grown(oldSize: number, size: number): Promise<string> {
  const proof = await proveConsistency(oldSize, size, read)
  return formatAddCheckpoint({ oldSize, proof, checkpoint: signNote(textAt(size), [signer]) })
}

test("a whole conversation, over HTTP and over a restart", async () => {
  expect((await post(await grown(0, 3))).status).toBe(404)
  await writeFile(join(data, "logs"), `${formatVkey(origin, key.publicKey)}\n`)
  expect((await fetch(`${running.url}/${originId(origin)}/checkpoint`)).status).toBe(404)
  const first = await post(await grown(0, 3))
  expect([first.status, first.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"])
  const whole = signNote(textAt(3), [signer]) + (await first.text())
  const vkey = /key=(\S+)/.exec(running.firstLine)![1]!
  const opened = openNote(whole, [noteVerifier(vkey, verifyEd25519)!])
  expect(opened.kind === "ok" && opened.verified[0]!.time_s! > 1_700_000_000).toBe(true)
  await running.close()
  running = await start()
  const stale = await post(await grown(0, 9))
  expect([stale.status, stale.headers.get("content-type"), await stale.text()]).toEqual([
    409,
    "text/x.tlog.size",
    "3\n",
  ])
  expect((await post(await grown(3, 9))).status).toBe(200)
  const forked = formatAddCheckpoint({
    oldSize: 9,
    proof: [],
    checkpoint: signNote(textAt(9).replace(/\n[^\n]+\n$/, "\n" + "A".repeat(43) + "=\n"), [signer]),
  })
  expect((await post(forked)).status).toBe(422)
  expect((await post("garbage")).status).toBe(400)
  const held = await (await fetch(`${running.url}/${originId(origin)}/checkpoint`)).text()
  const verifiers = [
    noteVerifier(vkey, verifyEd25519)!,
    noteVerifier(formatVkey(origin, key.publicKey), verifyEd25519)!,
  ]
  const seen = openNote(held, verifiers)
  expect(seen.kind === "ok" && [seen.text, seen.verified.length]).toEqual([textAt(9), 2])
  const page = await (await fetch(running.url)).text()
  expect(page).toContain(origin)
  expect(page).not.toContain("<script")
})

test("of forks sent at once, one tree alone is cosigned", async () => {
  const forks = await Promise.all(
    Array.from({ length: 24 }, async (_, i) => {
      const text = formatCheckpoint({ origin, size: 9, root: new Uint8Array(32).fill(i) })
      return post(formatAddCheckpoint({ oldSize: 9, proof: [], checkpoint: signNote(text, [signer]) }))
    }),
  )
  expect(new Set(forks.map(each => each.status))).toEqual(new Set([422]))
  const grows = await Promise.all(Array.from({ length: 24 }, async () => post(await grown(9, 12))))
  expect(grows.filter(each => each.status === 200)).toHaveLength(1)
  expect(grows.filter(each => each.status === 409)).toHaveLength(23)
})

test("a second witness on the same folder does not start; one that asks too fast is told to wait", async () => {
  await expect(start()).rejects.toMatchObject({ code: "LEDGER_IN_USE" })
  await running.close()
  running = await start("1")
  const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(running.url)))
  expect(answers.filter(each => each.status === 429)).toHaveLength(4)
})
