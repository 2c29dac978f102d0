import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline/promises"
import { PassThrough } from "node:stream"
import { afterEach, beforeEach, expect, test } from "vitest"
import type { AskedPair, Silhouette } from "../custody/adjudication.ts"
import { adjudicate, answersIn, type Showing } from "./adjudicate.ts"
import { openJournal, type Said } from "./answer-journal.ts"
import { pairPage, silhouetteLines } from "./silhouettes.ts"

let folder: string
let path: string
let taken: (readonly Said[])[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-adjudicate-"))
  path = join(folder, "answers.jsonl")
  taken = []
})
afterEach(() => rm(folder, { recursive: true }))

const box = (x_px: number, y_px: number, width_px: number, height_px: number) => {
  return { x_px, y_px, width_px, height_px }
}
const face = (capture: string): Silhouette => ({
  ...{ capture, lane: "lan_01ABCDEF", hour: "2026-11-29T10-06:00", width_px: 1024, height_px: 768 },
  ...{ face: box(512, 192, 96, 96), faces: [box(512, 192, 96, 96), box(100, 200, 60, 60)] },
  plates: [box(400, 600, 160, 60)],
})
const pairs: readonly AskedPair[] = Array.from({ length: 5 }, (_, pair) => {
  return { pair, subject: face(`cap_${pair}a`), other: face(`cap_${pair}b`) }
})

const blockSize = 2

/** The pairs that this person has not answered, block by block, as the vault gives them. */
const asking = {
  next: async () => {
    const done = new Set(taken.flat().map(({ pair }) => pair))
    return { pairs: pairs.filter(({ pair }) => !done.has(pair)).slice(0, blockSize), planned: pairs.length }
  },
  take: async (said: readonly Said[]) => void taken.push(said),
}

class Typist extends PassThrough {
  isTTY = true
  readonly raw: boolean[] = []
  setRawMode(isRaw: boolean): void {
    this.raw.push(isRaw)
  }
}

const showing: Showing = {
  silhouettes: ({ subject, other }) => [`silhouettes of ${subject.capture} and ${other.capture}`],
  pictures: async ({ subject }) => [`picture of ${subject.capture}`],
}

const mine = { linkage: "lnk_1", by: "per_ada" }

/** One sitting: the keys that are pressed, and what the terminal showed. */
async function sit(keys: string, of: Partial<typeof asking> = {}) {
  const journal = await openJournal(path, mine)
  const [input, output] = [new Typist(), new PassThrough()]
  input.end(keys)
  try {
    const given = await adjudicate({ asking: { ...asking, ...of }, journal, showing }, { input, output })
    return { given, shown: (output.read() as Buffer).toString(), raw: input.raw }
  } finally {
    await journal.close()
  }
}

test("each key is an answer; blocks and what is left at the end go to the vault, and who quits goes on where he was", async () => {
  const first = await sit("sduq")
  expect(first.given).toBe(3)
  expect(first.raw).toEqual([true, false])
  expect(first.shown).toContain("Saved")
  expect(taken).toEqual([
    [
      { pair: 0, answer: "same" },
      { pair: 1, answer: "different" },
    ],
    [{ pair: 2, answer: "unsure" }],
  ])
  const second = await sit("n".repeat(9))
  expect(second.given).toBe(2)
  expect(second.shown).toContain("pair 4 of 5")
  expect(second.shown).toContain("nothing more")
})

test("pictures are shown on demand alone, other keys do nothing, and back asks again", async () => {
  const quiet = await sit("xq")
  expect(quiet.given).toBe(0)
  expect(quiet.shown).toContain("silhouettes of cap_0a and cap_0b")
  expect(quiet.shown).not.toContain("picture of")
  const { shown, given } = await sit("psbuq")
  expect(shown).toContain("picture of cap_0a")
  expect(given).toBe(1)
  expect(taken).toEqual([[{ pair: 0, answer: "unsure" }]])
})

test("what is typed while a picture is fetched is an answer to that, and to no pair", async () => {
  const journal = await openJournal(path, mine)
  const [input, output] = [new Typist(), new PassThrough()]
  input.write("p")
  const asked: string[] = []
  const pictures = async () => {
    expect(input.raw.at(-1)).toBe(false)
    const asker = createInterface({ input })
    const reason = asker.question("why?")
    input.write("seen since noon\n")
    asked.push(await reason)
    asker.close()
    input.end("dq")
    return ["picture"]
  }
  const of = { asking, journal, showing: { ...showing, pictures } }
  expect(await adjudicate(of, { input, output })).toBe(1)
  await journal.close()
  expect(asked).toEqual(["seen since noon"])
  expect(taken).toEqual([[{ pair: 0, answer: "different" }]])
  expect(input.raw).toEqual([true, false, true, false])
})

test("Ctrl-C and the end of what is typed save and quit", async () => {
  expect((await sit("s\u0003ss")).given).toBe(1)
  expect((await sit("")).shown).toContain("Saved")
})

test("what the vault did not take is kept, and handed over at the next sitting before anything is asked", async () => {
  const away = { take: () => Promise.reject(new Error("the vault is away")) }
  await expect(sit("sd", away)).rejects.toThrow("away")
  const lines = (await readFile(path, "utf8")).trim().split("\n")
  expect(lines.slice(1).map(line => JSON.parse(line).answer)).toEqual(["same", "different"])
  const { given, shown } = await sit("q")
  expect(given).toBe(2)
  expect(shown).toContain("pair 3 of 5")
  expect((await readFile(path, "utf8")).trim().split("\n")).toHaveLength(1)
})

test("a half-written last line is taken off; another linkage's journal and a broken line are refused", async () => {
  await sit("", { take: () => Promise.reject(new Error("away")) }).catch(() => undefined)
  await appendFile(path, '{"pair":0,"answer":"same"}\n{"pair":1,"ans')
  const journal = await openJournal(path, mine)
  expect(journal.said()).toEqual([{ pair: 0, answer: "same" }])
  await journal.close()
  expect((await readFile(path, "utf8")).endsWith("\n")).toBe(true)
  await expect(openJournal(path, { ...mine, linkage: "lnk_2" })).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringContaining("another linkage"),
  })
  await appendFile(path, '{"pair":1}\n')
  await expect(openJournal(path, mine)).rejects.toMatchObject({ message: expect.stringContaining("line 3") })
})

test("a journal is for its owner's eyes", async () => {
  await (await openJournal(path, mine)).close()
  expect((await stat(path)).mode & 0o077).toBe(0)
})

test("answers out of a file, CSV or JSON lines, are all taken or none", () => {
  const said = [
    { pair: 0, answer: "same" },
    { pair: 12, answer: "no-face" },
  ]
  expect(answersIn("pair,answer\n0,same\n12,no-face\n", 13)).toEqual(said)
  expect(answersIn("\uFEFFpair,answer\r\n0,same\r\n12,no-face\r\n", 13)).toEqual(said)
  expect(answersIn(said.map(each => JSON.stringify(each)).join("\n"), 13)).toEqual(said)
  for (const bad of [
    "pair,answer\n0,same\n1,maybe",
    "pair,answer\n-1,same",
    '{"pair":1.5,"answer":"same"}',
    "{",
    // Taken in blocks, so a pair that the plan has not is found before the first.
    `pair,answer\n${Array.from({ length: 600 }, (_, pair) => `${pair},same`).join("\n")}\n`,
  ])
    expect(() => answersIn(bad, 599)).toThrow(/nothing was taken/)
  expect(() => answersIn("pair,answer\n3,same\n3,different", 13)).toThrow(/answered twice/)
})

test("a silhouette has the face that is asked about, other faces and plates, and nothing by which one is recognized", () => {
  const lines = silhouetteLines(pairs[0]!)
  expect(lines[0]).toContain("face 96 × 96 px")
  expect(lines.join("")).toMatch(/^[^a-np-zA-Z█]*2026/)
  const drawn = lines.slice(1).join("\n")
  expect(new Set(drawn.replaceAll(/[\s]/g, ""))).toEqual(new Set(["·", "=", "o", "█"]))
})

test("the page frames the two faces where they are", () => {
  const page = pairPage(pairs[0]!, ["cap_0a.png", 'a"b.png'])
  expect(page).toContain('<svg viewBox="0 0 1024 768"><rect x="512" y="192" width="96" height="96"/></svg>')
  expect(page).toContain('src="a%22b.png"')
})
