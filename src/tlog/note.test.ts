import { describe, expect, test } from "vitest"
import { base64, utf8 } from "../bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import { formatCheckpoint, parseCheckpoint } from "./checkpoint.ts"
import { formatVkey, noteSigner, noteVerifier, openNote, parseVkey, signNote } from "./note.ts"
import { formatPolicy, judge, parsePolicy } from "./policy.ts"
import { formatProof, parseProof } from "./receipt.ts"
import { entriesPath, formatBundle, parseBundle, parseTilePath, tilePath } from "./tile.ts"

const key = signerOf(newSeed())
const name = "sallyport.example/test"
const signer = noteSigner(name, key.publicKey, message => key.sign(message))
const vkey = formatVkey(name, key.publicKey)
const verifier = noteVerifier(vkey, verifyEd25519)!
const root = new Uint8Array(32).fill(7)
const text = formatCheckpoint({ origin: name, size: 12, root })
const note = signNote(text, [signer])

/** The same bytes to a decoder that is not strict: the last character before the padding has bits that mean nothing. */
function withStrayBits(signed: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  return signed.replace(
    /(.)(=+\n)$/,
    (_, last: string, rest: string) => `${alphabet[alphabet.indexOf(last) + 1]}${rest}`,
  )
}

test("what is signed opens, with its text", () => {
  expect(openNote(note, [verifier])).toMatchObject({ kind: "ok", text, unknown: [] })
})

test("every single byte flipped refuses the note", () => {
  const bytes = utf8(note)
  for (let at = 0; at < bytes.length; at += 1) {
    const bent = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
    expect(openNote(bent, [verifier]).kind).toBe("refuse")
  }
})

describe("a note is refused for what the specification names", () => {
  const line = note.split("\n").at(-2)!
  const cases: [string, string | Uint8Array, string][] = [
    [
      "no key that is asked for",
      signNote(text, [noteSigner("other", key.publicKey, m => key.sign(m))]),
      "unsigned",
    ],
    ["two signatures of one key", `${note}${line}\n`, "duplicate"],
    ["no blank line", text, "malformed"],
    ["no final line feed", note.slice(0, -1), "malformed"],
    ["a control character", note.replace("12", "1\u00012"), "malformed"],
    ["a carriage return", note.replace("\n12", "\r\n12"), "malformed"],
    ["no UTF-8", Uint8Array.from([...utf8(note).slice(0, 4), 0xff, ...utf8(note).slice(4)]), "malformed"],
    ["a hyphen for the dash", note.replace("\u2014", "-"), "malformed"],
    ["base64 with stray bits", withStrayBits(note), "malformed"],
    [
      "over 100 signatures",
      note +
        Array.from({ length: 100 }, (_, i) => `\u2014 k${i} ${base64(new Uint8Array(70).fill(i))}\n`).join(
          "",
        ),
      "malformed",
    ],
    ["over 1 MB", `${"x".repeat(1_000_000)}\n\n${line}\n`, "malformed"],
  ]
  for (const [why, bent, reason] of cases)
    test(why, () => expect(openNote(bent, [verifier])).toEqual({ kind: "refuse", reason }))
})

test("unknown signers are ignored", () => {
  const other = noteSigner("other.example", key.publicKey, m => key.sign(m))
  expect(openNote(signNote(text, [other, signer]), [verifier])).toMatchObject({
    kind: "ok",
    unknown: [{ name: "other.example" }],
  })
})

test("a verification key reads back, and not with another name, id or type", () => {
  expect(parseVkey(vkey)).toMatchObject({ name, type: 1 })
  expect(parseVkey(vkey.replace("test", "tesu"))).toBeNull()
  expect(parseVkey(vkey.toUpperCase())).toBeNull()
  expect(parseVkey("a+b")).toBeNull()
  expect(noteVerifier(`${vkey}x`, verifyEd25519)).toBeNull()
})

describe("a checkpoint is exactly three lines", () => {
  test("it reads back", () => expect(parseCheckpoint(text)).toEqual({ origin: name, size: 12, root }))
  for (const bent of [
    "",
    "\n12\nAAAA\n",
    text.replace("\n12\n", "\n012\n"),
    text.replace("\n12\n", "\n+12\n"),
    text.replace("\n12\n", "\n9007199254740993\n"),
    `${text}extension\n`,
    text.slice(0, -1),
    text.replace(/.=\n$/, "\n"),
  ]) {
    test(`not ${JSON.stringify(bent.slice(0, 40))}`, () => expect(parseCheckpoint(bent)).toBeNull())
  }
})

describe("a proof file reads back, and only as it is written", () => {
  const proof = { extra: utf8("{}"), index: 3, proof: [root, root], checkpoint: note }
  const whole = formatProof(proof)
  test("with and without extra", () => {
    expect(parseProof(whole)).toEqual(proof)
    expect(parseProof(formatProof({ ...proof, extra: null }))).toEqual({ ...proof, extra: null })
  })
  for (const bent of [
    whole.replace("@v1", "@v2"),
    whole.replace("index 3", "index 03"),
    whole.replace("index 3\n", ""),
    whole.replace("extra ", "extra A"),
    whole.replace(/\nB/, "\nC="),
  ]) {
    test(`not ${JSON.stringify(bent.slice(0, 60))}`, () => expect(parseProof(bent)).toBeNull())
  }
})

describe("tile paths", () => {
  const paths: [string, { level: number; index: number; width: number }][] = [
    ["tile/0/000", { level: 0, index: 0, width: 256 }],
    ["tile/0/255.p/17", { level: 0, index: 255, width: 17 }],
    ["tile/1/x455/667", { level: 1, index: 455_667, width: 256 }],
    ["tile/63/x001/x234/067.p/255", { level: 63, index: 1_234_067, width: 255 }],
  ]
  for (const [path, tile] of paths) {
    test(path, () => {
      expect(tilePath(tile)).toBe(path)
      expect(parseTilePath(path)).toEqual({ kind: "hashes", tile })
    })
  }
  test("entries", () =>
    expect(parseTilePath(entriesPath(5, 256))).toEqual({
      kind: "entries",
      tile: { level: 0, index: 5, width: 256 },
    }))
  for (const path of [
    "tile/00/000",
    "tile/64/000",
    "tile/0/0",
    "tile/0/x000/001",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/1234",
    "tile/-1/000",
    "tile/0/../000",
    "tile/entries/00",
  ]) {
    test(`not ${path}`, () => expect(parseTilePath(path)).toBeNull())
  }
})

test("bundles read back; a cut one is none", () => {
  const entries = [utf8("a"), new Uint8Array(), new Uint8Array(65_535)]
  expect(parseBundle(formatBundle(entries))).toEqual(entries)
  expect(parseBundle(formatBundle(entries).subarray(0, -1))).toBeNull()
  expect(parseBundle(Uint8Array.of(0))).toBeNull()
})

describe("a policy names who must have signed", () => {
  const witness = signerOf(newSeed())
  const policyText = `log ${vkey} https://log.example\nquorum none\n`
  test("it reads back", () => {
    const parsed = parsePolicy(policyText)
    expect(parsed.kind === "ok" && formatPolicy(parsed.policy)).toBe(policyText)
  })
  const wrong: [string, string][] = [
    ["no quorum", `log ${vkey}\n`],
    ["no log", "quorum none\n"],
    ["two quorums", `${policyText}quorum none\n`],
    ["an unknown quorum", `log ${vkey}\nquorum w\n`],
    ["a key twice", `log ${vkey}\nlog ${vkey}\nquorum none\n`],
    ["an unknown member", `log ${vkey}\ngroup g any w\nquorum g\n`],
    [
      "too many needed",
      `log ${vkey}\nwitness w ${formatVkey("w", witness.publicKey)}\ngroup g 2 w\nquorum g\n`,
    ],
    ["an unknown word", `${policyText}trust me\n`],
  ]
  for (const [why, bent] of wrong)
    test(`refused: ${why}`, () => expect(parsePolicy(bent).kind).toBe("refuse"))

  test("the quorum counts: one of two witnesses is not all", () => {
    const plain = noteSigner("w", witness.publicKey, m => witness.sign(m))
    const other = signerOf(newSeed())
    const both = `log ${vkey}\nwitness w ${formatVkey("w", witness.publicKey)}\nwitness x ${formatVkey("x", other.publicKey)}\n`
    const cosigned = signNote(text, [signer, plain])
    const judged = (rule: string) => {
      const parsed = parsePolicy(`${both}group g ${rule} w x\nquorum g\n`)
      return parsed.kind === "ok" ? judge(parsed.policy, cosigned, verifyEd25519) : parsed
    }
    expect(judged("any")).toMatchObject({ kind: "ok", log: name })
    expect(judged("all")).toEqual({ kind: "refuse", reason: "quorum" })
  })

  test("a log's key signs only its own origin", () => {
    const parsed = parsePolicy(policyText)
    const foreign = signNote(formatCheckpoint({ origin: "other.example", size: 1, root }), [signer])
    expect(parsed.kind === "ok" && judge(parsed.policy, foreign, verifyEd25519)).toEqual({
      kind: "refuse",
      reason: "origin",
    })
  })
})
