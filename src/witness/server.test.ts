import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { connect } from "node:net"
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
import { openWitnessServer } from "./server.ts"
import { originId, Witness } from "./witness.ts"

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

/** A client that shares no code with us: bytes on a socket, and the bytes that must come back. */
test("a foreign client's conversation, byte for byte", async () => {
  const seed = (fill: number) => signerOf(new Uint8Array(32).fill(fill))
  const logKey = seed(1)
  const foreign = noteSigner("foreign.example/log", logKey.publicKey, message => logKey.sign(message))
  const file = join(data, "foreign.sqlite")
  const witness = new Witness({
    name: "witness.example",
    signer: seed(2),
    file,
    logs: () => [formatVkey("foreign.example/log", logKey.publicKey)],
    clock: () => 1_700_000_000_000,
  })
  const options = {
    host: "127.0.0.1",
    port: 0,
    rate: { perSecond: 100, burst: 100 },
    logs: () => [],
    clock: Date.now,
  }
  const server = await openWitnessServer(witness, options)
  const text = (size: number) =>
    formatCheckpoint({
      origin: "foreign.example/log",
      size,
      root: rootOf(grow(emptyFrontier, leaves.slice(0, size))),
    })
  const proof = (await proveConsistency(2, 3, read))
    .map(hash => `${Buffer.from(hash).toString("base64")}\n`)
    .join("")
  const first = signNote(text(2), [foreign])
  const second = signNote(text(3), [foreign])
  expect(formatVkey("foreign.example/log", logKey.publicKey)).toMatch(
    /^foreign\.example\/log\+[0-9a-f]{8}\+AYqI4/,
  )
  for (const [body, status, type, answer] of [
    [`old 1\n\n${first}`, "409 Conflict", "text/x.tlog.size", "0\n"],
    [
      `old 0\n\n${first}`,
      "200 OK",
      "text/plain; charset=utf-8",
      /^\u2014 witness\.example [A-Za-z0-9+/]{102}==\n$/,
    ],
    [`old 2\n${proof}\n${second}`, "200 OK", "text/plain; charset=utf-8", /^\u2014 witness\.example /],
    [`old 2\n${proof}\n${second}`, "409 Conflict", "text/x.tlog.size", "3\n"],
    [`old 3\n\n${second}`, "200 OK", "text/plain; charset=utf-8", /^\u2014 witness\.example /],
    [`old 4\n\n${second}`, "400 Bad Request", "text/plain; charset=utf-8", /./],
    [`old 3\n\n${second.replace("\n3\n", "\n4\n")}`, "403 Forbidden", "text/plain; charset=utf-8", /./],
    [`old 0\n\n${signNote(textAt(3), [signer])}`, "404 Not Found", "text/plain; charset=utf-8", /./],
    [
      `old 3\n\n${signNote(text(3).replace(/[A-Za-z0-9+/]{43}=\n$/, `${"A".repeat(43)}=\n`), [foreign])}`,
      "422 Unprocessable Entity",
      "text/plain; charset=utf-8",
      /./,
    ],
    ["old 3\n", "400 Bad Request", "text/plain; charset=utf-8", /./],
  ] as const) {
    const raw = await exchange(server.url, body)
    const [head = "", rest = ""] = [
      raw.slice(0, raw.indexOf("\r\n\r\n")),
      raw.slice(raw.indexOf("\r\n\r\n") + 4),
    ]
    expect(head.split("\r\n")[0]).toBe(`HTTP/1.1 ${status}`)
    expect(head.toLowerCase()).toContain(`content-type: ${type}`)
    if (typeof answer === "string") expect(rest).toBe(answer)
    else expect(rest).toMatch(answer)
  }
  await server.close()
  witness.close()
})

/** One request as bytes, with its media type left to the client's whim. */
async function exchange(url: string, body: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const bytes = Buffer.from(body)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`,
      )
      socket.write(bytes)
    })
    let answer = ""
    socket.on("data", chunk => (answer += chunk.toString()))
    socket.on("close", () => resolve(answer))
    socket.on("error", reject)
  })
}
