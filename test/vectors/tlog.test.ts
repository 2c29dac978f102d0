import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { describe, expect, test } from "vitest"
import { equal, fromBase64 } from "../../src/bytes.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { LogWalk } from "../../src/log/reading.ts"
import { parseCheckpoint } from "../../src/tlog/checkpoint.ts"
import { leafHash } from "../../src/tlog/hash.ts"
import { noteVerifier, openNote, parseNote, parseVkey } from "../../src/tlog/note.ts"
import { checkConsistency, checkInclusion } from "../../src/tlog/proof.ts"
import { growTiles, parseBundle } from "../../src/tlog/tile.ts"
import { emptyFrontier, grow, rootOf } from "../../src/tlog/tree.ts"
import { hasShared, sharedData } from "../beside.ts"

/** Vectors of other projects, beside this one: transparency-dev/merkle, tessera, sunlight. */
const there = hasShared("vectors/merkle")
const skipped = there ? "" : " (skipped: no ../shared/data/vectors)"

const bytes = (text: string | null) => fromBase64(text ?? "") ?? new Uint8Array()

function vectorsOf<T>(folder: string): { readonly name: string; readonly vector: T }[] {
  if (!there) return []
  const names = readdirSync(sharedData(folder), { recursive: true, encoding: "utf8" }).filter(name =>
    name.endsWith(".json"),
  )
  return names
    .sort()
    .map(name => ({ name, vector: JSON.parse(readFileSync(sharedData(`${folder}/${name}`), "utf8")) as T }))
}

interface InclusionVector {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string | null
  readonly leafHash: string | null
  readonly proof: string[] | null
  readonly wantErr: boolean
}

describe("inclusion proofs of transparency-dev/merkle", () => {
  const vectors = vectorsOf<InclusionVector>("vectors/merkle/testdata/inclusion")
  test.skipIf(!there)(`all 98 are here${skipped}`, () => expect(vectors).toHaveLength(98))
  for (const { name, vector } of vectors) {
    test(`${name}: ${vector.wantErr ? "refused" : "holds"}`, () => {
      const { leafIdx: index, treeSize: size } = vector
      const claim = {
        index,
        size,
        leaf: bytes(vector.leafHash),
        root: bytes(vector.root),
        proof: (vector.proof ?? []).map(bytes),
      }
      expect(checkInclusion(claim)).toBe(!vector.wantErr)
    })
  }
})

interface ConsistencyVector {
  readonly size1: number
  readonly size2: number
  readonly root1: string | null
  readonly root2: string | null
  readonly proof: string[] | null
  readonly wantErr: boolean
}

/** Where we stand elsewhere than the library, and why. */
const policies = new Map([
  ["additional/sizes-are-equal-one-and-proof-is-empty.json", "refused by policy: a hash has 32 bytes"],
])
const seen = new Set<string>()

describe("consistency proofs of transparency-dev/merkle", () => {
  const vectors = vectorsOf<ConsistencyVector>("vectors/merkle/testdata/consistency")
  test.skipIf(!there)(`all 98 are here${skipped}`, () => expect(vectors).toHaveLength(98))
  for (const { name, vector } of vectors) {
    const claim = {
      oldSize: vector.size1,
      newSize: vector.size2,
      oldRoot: bytes(vector.root1),
      newRoot: bytes(vector.root2),
      proof: (vector.proof ?? []).map(bytes),
    }
    const policy = policies.get(name)
    if (policy !== undefined) seen.add(name)
    test(`${name}: ${policy ?? (vector.wantErr ? "refused" : "holds")}`, () => {
      expect(checkConsistency(claim)).toBe(policy === undefined ? !vector.wantErr : vector.wantErr)
    })
  }
  test.skipIf(!there)(`the policies are for vectors that exist${skipped}`, () =>
    expect(seen.size).toBe(policies.size),
  )
})

describe("the whole small log of tessera", () => {
  const folder = "vectors/tessera/testdata/log"
  const vkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
  const read = (path: string) => new Uint8Array(readFileSync(sharedData(`${folder}/${path}`)))
  for (let size = 0; size <= 15; size += 1) {
    test.skipIf(!there)(
      `checkpoint ${size}: its signature holds, its root is that of the entries, its tile is ours${skipped}`,
      () => {
        const opened = openNote(read(`checkpoint.${size}`), [noteVerifier(vkey, verifyEd25519)!])
        expect(opened.kind).toBe("ok")
        const checkpoint = parseCheckpoint(opened.kind === "ok" ? opened.text : "")!
        expect(checkpoint.size).toBe(size)
        const entries = size === 0 ? [] : parseBundle(read(`tile/entries/000.p/${size}`))!
        const leaves = entries.map(leafHash)
        expect(equal(rootOf(grow(emptyFrontier, leaves)), checkpoint.root)).toBe(true)
        if (size > 0)
          expect(equal(growTiles(0, new Map(), leaves)[0]!.hashes, read(`tile/0/000.p/${size}`))).toBe(true)
      },
    )
  }
})

describe("cosignatures of sunlight", () => {
  for (const [folder, origin] of [
    ["witness", "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"],
    ["witness2", "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482"],
  ] as const) {
    test.skipIf(!there)(
      `${folder}: the cosignature/v1 holds and says when; one bent bit refuses it${skipped}`,
      () => {
        const { verifier_keys } = JSON.parse(
          readFileSync(sharedData(`vectors/cosignature/${folder}/witness.v0.json`), "utf8"),
        ) as { verifier_keys: string[] }
        const note = readFileSync(sharedData(`vectors/cosignature/${folder}/${origin}/checkpoint`), "utf8")
        const key = verifier_keys.find(vkey => parseVkey(vkey)?.type === 4)!
        const opened = openNote(note, [noteVerifier(key, verifyEd25519)!])
        expect(opened.kind === "ok" && (opened.verified[0]?.time_s ?? 0) > 1_600_000_000).toBe(true)
        const bent = note.replace(/^(.)/, character => (character === "a" ? "b" : "a"))
        expect(openNote(bent, [noteVerifier(key, verifyEd25519)!])).toEqual({
          kind: "refuse",
          reason: "signature",
        })
      },
    )
  }
})

describe("the mirror and the CT log of sunlight", () => {
  const folder = "vectors/cosignature/witness/mirror"
  const source = {
    name: "the mirror",
    read: (path: string) =>
      Promise.resolve(new Uint8Array(readFileSync(sharedData(`${folder}/${id}/${path}`)))).catch(() => null),
  }
  const id = "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"
  const text = (path: string) => readFileSync(sharedData(path), "utf8")
  test.skipIf(!there)(
    `the mirror's cosignature holds, and every tile leads to the root that it signed${skipped}`,
    async () => {
      const [vkey] = (JSON.parse(text(`${folder}/mirror.v0.json`)) as { verifier_keys: string[] })
        .verifier_keys
      const note = text(`${folder}/${id}/checkpoint`)
      const opened = openNote(note, [noteVerifier(vkey!, verifyEd25519)!])
      const checkpoint = parseCheckpoint(opened.kind === "ok" ? opened.text : "")!
      expect(checkpoint.size).toBe(300)
      const walk = new LogWalk(source, null)
      expect(await walk.to({ ...checkpoint, note, witnesses: [] })).toEqual([])
    },
  )
  test.skipIf(!there)(`decoys are no notes${skipped}`, () => {
    for (const path of ["witness/checkpoint", "witness/mirror/checkpoint"])
      expect(parseNote(text(`vectors/cosignature/${path}`))).toBe(null)
  })
  test.skipIf(!there)(
    `a CT log's checkpoint parses; its key type (05, RFC 6962) is refused by policy${skipped}`,
    () => {
      const note = text("vectors/cosignature/tree/checkpoint")
      expect(parseCheckpoint(parseNote(note)!.text)?.size).toBe(300)
      expect(openNote(note, [])).toEqual({ kind: "refuse", reason: "unsigned" })
    },
  )
})

/** Every file that came with the vectors, and what is done with it. A file without a line here fails the test. */
const register: readonly (readonly [path: RegExp, what: string])[] = [
  [/^merkle\/testdata\/(inclusion|consistency)\/.*\.json$/, "passes, but for the policies above"],
  [/^tessera\/testdata\/log\/(checkpoint\.\d+|tile\/(0|entries)\/000\.p\/\d+)$/, "passes"],
  [/^tessera\/testdata\/log\/checkpoint$/, "the newest of the sixteen"],
  [/^tessera\/testdata\/log\/\.state\//, "the writer's own state: no format of c2sp.org"],
  [/^cosignature\/witness2?\/[0-9a-f]{64}\/checkpoint$/, "passes"],
  [/^cosignature\/witness2?\/witness\.v0\.json$/, "its key is read"],
  [/^cosignature\/witness\/mirror\/(mirror\.v0\.json|[0-9a-f]{64}\/(checkpoint|tile\/[01]\/.*))$/, "passes"],
  [
    /^cosignature\/witness\/mirror\/[0-9a-f]{64}\/tile\/entries\//,
    "stand-ins, compressed: there are no entries in them",
  ],
  [/^cosignature\/witness\/(mirror\/)?checkpoint$/, "a decoy: refused"],
  [/^cosignature\/tree\/checkpoint$/, "refused by policy: an RFC 6962 signature (type 05)"],
  [/^cosignature\/tree\/(log\.v3\.json|issuer\/[0-9a-f]{64})$/, "of a CT log: no format of ours"],
  [/^age\/[a-z0-9_]+$/, "passes or is refused, in src/seal/seal.test.ts"],
  [/^(merkle|tessera)\/LICENSE$/, "no vector"],
]

test.skipIf(!there)(
  `every file of the vectors is in the register, and the age files are those of the package${skipped}`,
  async () => {
    const folder = sharedData("vectors")
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    expect(files.length).toBeGreaterThan(370)
    expect(files.filter(file => !register.some(([path]) => path.test(file)))).toEqual([])
    expect(register.filter(([path]) => !files.some(file => path.test(file)))).toEqual([])
    const age = new Map(Object.entries(await import("cctv-age")) as unknown as [string, Uint8Array][])
    for (const file of files.filter(each => each.startsWith("age/"))) {
      const packaged = age.get(file.slice("age/".length))
      expect(packaged && Buffer.from(packaged).equals(readFileSync(join(folder, file))), file).toBe(true)
    }
  },
)
