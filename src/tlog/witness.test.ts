import { describe, expect, test } from "vitest"
import { utf8 } from "../bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import { formatCheckpoint } from "./checkpoint.ts"
import { emptyRoot, leafHash } from "./hash.ts"
import {
  cosigner,
  formatVkey,
  noteSigner,
  noteVerifier,
  openNote,
  parseSignatureLines,
  signatureLines,
  signNote,
} from "./note.ts"
import { judge, parsePolicy } from "./policy.ts"
import { proveConsistency } from "./proof.ts"
import { growTiles, tileReader } from "./tile.ts"
import { emptyFrontier, grow, rootOf } from "./tree.ts"
import {
  formatAddCheckpoint,
  formatLastSize,
  judgeAddCheckpoint,
  originAsked,
  parseAddCheckpoint,
  parseLastSize,
  type AddCheckpoint,
} from "./witness.ts"

const origin = "log.example/one"
const key = signerOf(newSeed())
const signer = noteSigner(origin, key.publicKey, message => key.sign(message))
const known = [noteVerifier(formatVkey(origin, key.publicKey), verifyEd25519)!]
const leaves = Array.from({ length: 20 }, (_, i) => leafHash(utf8(`entry ${i}`)))
const rootAt = (size: number) => rootOf(grow(emptyFrontier, leaves.slice(0, size)))
const tiles = growTiles(0, new Map(), leaves)
const read = tileReader(20, level => Promise.resolve(tiles.find(tile => tile.level === level)!.hashes))
const signed = (size: number, root = rootAt(size)) =>
  signNote(formatCheckpoint({ origin, size, root }), [signer])
const at = (size: number) => ({ size, root: rootAt(size) })

async function ask(
  oldSize: number,
  size: number,
  change: Partial<AddCheckpoint> = {},
): Promise<AddCheckpoint> {
  const proof = oldSize <= size ? await proveConsistency(oldSize, size, read) : []
  return { oldSize, proof, checkpoint: signed(size), ...change }
}

test("a request reads back as it was written; its origin is the checkpoint's", async () => {
  const request = await ask(7, 12)
  expect(request.proof.length).toBeGreaterThan(0)
  expect(parseAddCheckpoint(utf8(formatAddCheckpoint(request)))).toEqual(request)
  expect(originAsked(request)).toBe(origin)
  expect(parseLastSize(formatLastSize(7))).toBe(7)
  for (const wrong of ["7", "07\n", "-1\n", "7\n\n", "9007199254740992\n", ""])
    expect(parseLastSize(wrong)).toBe(null)
})

describe("a body that is none is refused", () => {
  const hash = `${"A".repeat(43)}=\n`
  for (const [why, body] of [
    ["no old line", `\n${signed(3)}`],
    ["a leading zero", `old 03\n\n${signed(3)}`],
    ["a sign", `old +3\n\n${signed(3)}`],
    ["a size over 2^53", `old 9007199254740993\n\n${signed(3)}`],
    ["64 hashes", `old 3\n${hash.repeat(64)}\n${signed(3)}`],
    ["a hash of 31 bytes", `old 3\n${"A".repeat(40)}AA==\n\n${signed(3)}`],
    ["base64 without padding", `old 3\n${"A".repeat(43)}\n\n${signed(3)}`],
    ["no blank line", `old 3\n${signed(3).split("\n\n")[0]!}`],
    ["over 64 KiB", `old 3\n\n${"x".repeat(65_537)}`],
  ] as const) {
    test(why, () => expect(parseAddCheckpoint(utf8(body))).toBe(null))
  }
  test("no UTF-8", () => expect(parseAddCheckpoint(Uint8Array.of(0xff, 10, 10))).toBe(null))
  test("63 hashes are taken", () =>
    expect(parseAddCheckpoint(utf8(`old 3\n${hash.repeat(63)}\n${signed(3)}`))?.proof.length).toBe(63))
})

describe("the answers of the specification", () => {
  const other = signerOf(newSeed())
  const forged = noteSigner(origin, other.publicKey, message => other.sign(message))
  const status = async (
    request: Promise<AddCheckpoint>,
    last: Parameters<typeof judgeAddCheckpoint>[2],
    keys = known,
  ) => judgeAddCheckpoint(await request, keys, last).status
  test("the first checkpoint, and every growth from it: 200", async () => {
    expect(await status(ask(0, 5), null)).toBe(200)
    for (let old = 1; old <= 20; old += 1)
      for (let size = old; size <= 20; size += 1) expect(await status(ask(old, size), at(old))).toBe(200)
  })
  test("the empty tree: 200, and again", async () => {
    expect(await status(ask(0, 0), null)).toBe(200)
    expect(await status(ask(0, 0), at(0))).toBe(200)
  })
  test("an unknown origin: 404", async () => expect(await status(ask(0, 5), null, [])).toBe(404))
  test("no trusted signature: 403", async () => {
    const text = formatCheckpoint({ origin, ...at(5) })
    expect(await status(ask(0, 5, { checkpoint: signNote(text, [forged]) }), null)).toBe(403)
  })
  test("a trusted signature that does not hold: 403", async () => {
    const checkpoint = signed(5).replace("\n5\n", "\n6\n")
    expect(await status(ask(0, 5, { checkpoint }), null)).toBe(403)
  })
  test("no checkpoint in the note: 400", async () => {
    expect(await status(ask(0, 5, { checkpoint: signNote("hello\n", [signer]) }), null)).toBe(400)
    expect(await status(ask(0, 5, { checkpoint: "hello" }), null)).toBe(400)
  })
  test("old over the checkpoint's size: 400", async () => expect(await status(ask(6, 5), at(6))).toBe(400))
  test("another old size: 409 with the size", async () => {
    const answer = judgeAddCheckpoint(await ask(4, 9), known, at(6))
    expect(answer).toMatchObject({ status: 409, lastSize: 6 })
    expect(judgeAddCheckpoint(await ask(0, 9), known, at(6))).toMatchObject({ status: 409, lastSize: 6 })
    expect(judgeAddCheckpoint(await ask(4, 9), known, null)).toMatchObject({ status: 409, lastSize: 0 })
  })
  test("the same size with another root: 422", async () =>
    expect(await status(ask(5, 5, { checkpoint: signed(5, rootAt(6)) }), at(5))).toBe(422))
  test("a growth that is none: 422", async () => {
    expect(await status(ask(5, 9, { proof: [] }), at(5))).toBe(422)
    expect(await status(ask(5, 9), { size: 5, root: rootAt(6) })).toBe(422)
    const { proof } = await ask(5, 9)
    for (const [i, hash] of proof.entries()) {
      const bent = proof.map((each, j) =>
        i === j ? Uint8Array.from(hash, (byte, k) => (k === 31 ? byte ^ 1 : byte)) : each,
      )
      expect(await status(ask(5, 9, { proof: bent }), at(5))).toBe(422)
    }
  })
  test("a proof from the empty tree: 422", async () =>
    expect(await status(ask(0, 5, { proof: [rootAt(3)] }), null)).toBe(422))
  test("an empty tree with another root: 422", async () =>
    expect(await status(ask(0, 0, { checkpoint: signed(0, rootAt(1)) }), null)).toBe(422))
  test("a log with extension lines is witnessed all the same", async () => {
    const checkpoint = signNote(`${formatCheckpoint({ origin, ...at(5) })}extension\n`, [signer])
    expect(await status(ask(0, 5, { checkpoint }), null)).toBe(200)
    expect(emptyRoot()).toHaveLength(32)
  })
})

describe("a cosignature", () => {
  const witness = signerOf(newSeed())
  const name = "witness.example"
  const vkey = formatVkey(name, witness.publicKey, "witness")
  const by = cosigner(name, witness.publicKey, {
    sign: message => witness.sign(message),
    now_s: () => 1_790_000_000,
  })
  const note = signNote(formatCheckpoint({ origin, ...at(5) }), [signer])
  const whole = note + signatureLines(formatCheckpoint({ origin, ...at(5) }), [by])
  const verifier = noteVerifier(vkey, verifyEd25519)!
  test("holds and says when", () =>
    expect(openNote(whole, [verifier])).toMatchObject({ verified: [{ name, time_s: 1_790_000_000 }] }))
  test("refuses with one bit bent anywhere: time, signature, or any line of the checkpoint", () => {
    const [line] = parseSignatureLines(signatureLines(formatCheckpoint({ origin, ...at(5) }), [by]))!
    for (let bit = 0; bit < 8 * 72; bit += 1) {
      const bent = line!.signature.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      expect(verifier.verify(utf8(formatCheckpoint({ origin, ...at(5) })), bent)).toBe(false)
    }
    const message = utf8(formatCheckpoint({ origin, ...at(5) }))
    for (let i = 0; i < message.length; i += 1) {
      const bent = message.map((byte, j) => (i === j ? byte ^ 1 : byte))
      expect(verifier.verify(bent, line!.signature)).toBe(false)
    }
  })
  test("of time 0 is none, whoever signed it", () => {
    const options = { sign: (message: Uint8Array) => witness.sign(message), now_s: () => 0 }
    expect(() => cosigner(name, witness.publicKey, options).sign(utf8(""))).toThrow()
    const text = formatCheckpoint({ origin, ...at(5) })
    const signature = witness.sign(utf8(`cosignature/v1\ntime 0\n${text}`))
    expect(verifier.verify(utf8(text), Uint8Array.from([...new Uint8Array(8), ...signature]))).toBe(false)
    const later = witness.sign(utf8(`cosignature/v1\ntime 1\n${text}`))
    expect(verifier.verify(utf8(text), Uint8Array.from([...new Uint8Array(7), 1, ...later]))).toBe(true)
  })
  test("lines that are none are refused", () => {
    for (const wrong of ["", "x", "\n", whole, "\u2014 a b c\n"])
      expect(parseSignatureLines(wrong)).toBe(null)
  })
})

test("a policy with any byte of its text bent accepts nothing that the whole one accepts", () => {
  const witness = signerOf(newSeed())
  const by = cosigner("witness.example", witness.publicKey, {
    sign: message => witness.sign(message),
    now_s: () => 1_790_000_000,
  })
  const text = formatCheckpoint({ origin, ...at(5) })
  const note = signNote(text, [signer, by])
  const vkeys = [
    formatVkey(origin, key.publicKey),
    formatVkey("witness.example", witness.publicKey, "witness"),
  ]
  const policy = `log ${vkeys[0]}\nwitness one ${vkeys[1]}\ngroup all-of-them 1 one\nquorum all-of-them\n`
  const verdict = (of: string) => {
    const parsed = parsePolicy(of)
    return parsed.kind === "ok" ? judge(parsed.policy, note, verifyEd25519).kind : parsed.kind
  }
  expect(verdict(policy)).toBe("ok")
  for (let i = 0; i < policy.length; i += 1)
    for (const bit of [1, 2, 4, 8, 16, 32, 64]) {
      const bent = policy.slice(0, i) + String.fromCharCode(policy.charCodeAt(i) ^ bit) + policy.slice(i + 1)
      expect(verdict(bent), `${i} ${bit}: ${JSON.stringify(bent.slice(Math.max(0, i - 8), i + 8))}`).toBe(
        "refuse",
      )
    }
})

test("a request with any bit of its old size, proof or checkpoint bent is not cosigned", async () => {
  const body = utf8(formatAddCheckpoint(await ask(5, 12)))
  const status = (bytes: Uint8Array) => {
    const request = parseAddCheckpoint(bytes)
    return request === null ? 400 : judgeAddCheckpoint(request, known, at(5)).status
  }
  expect(status(body)).toBe(200)
  for (let i = 0; i < body.length; i += 1)
    for (const bit of [1, 2, 4, 8, 16, 32, 64, 128])
      expect(status(body.map((byte, j) => (i === j ? byte ^ bit : byte))), `${i} ${bit}`).not.toBe(200)
})
