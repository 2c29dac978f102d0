import { spawn, spawnSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "vite"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { base64 } from "../../src/bytes.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { cosigner, formatVkey, signatureLines } from "../../src/tlog/note.ts"
import { formatAddCheckpoint } from "../../src/tlog/witness.ts"
import { newSeed, signerOf } from "../../src/ed25519.ts"
import { hasShared, sharedData } from "../beside.ts"
import { grantOf, openTestPort, type TestPort } from "../port.ts"
import { root } from "../tidy.ts"
import { judgements, type Questions } from "./judgements.ts"

/** The log's verifying code, as it stands, in Chromium: the same answers to the same questions as in Node. */
const chromium = ["chromium", "chromium-browser", "google-chrome"].find(
  name => spawnSync(name, ["--version"]).status === 0,
)
const hasVectors = hasShared("vectors/merkle")

let port: TestPort
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-browser-"))
  port = await openTestPort()
  await grantOf(port)
})
afterAll(async () => {
  await port.close()
  await rm(folder, { recursive: true })
})

/** Each with a bit bent here and there. */
function bent(text: string): string[] {
  const at = [0, 0.3, 0.5, 0.7, 0.95].map(share => Math.floor(share * text.length))
  return [
    text,
    ...at.map(i => text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1)),
  ]
}

async function questionsOf(): Promise<Questions> {
  const { log } = port.house
  const witness = signerOf(newSeed())
  const by = cosigner("w.example", witness.publicKey, {
    sign: message => witness.sign(message),
    now_s: () => 1_790_000_000,
  })
  const checkpoint = await log.checkpoint()
  const text = checkpoint.slice(0, checkpoint.lastIndexOf("\n\n") + 1)
  const cosigned = checkpoint + signatureLines(text, [by])
  const vkeys = [log.vkey, formatVkey("w.example", witness.publicKey, "witness")]
  const policy = `log ${log.vkey}\nwitness w ${vkeys[1]}\nquorum w\n`
  const { size } = await log.head()
  const receipts = await Promise.all([0, 1, size - 1].map(index => log.receiptAt(index)))
  const proof = await log.consistency(3, size)
  const request = formatAddCheckpoint({ oldSize: 3, proof, checkpoint })
  return {
    notes: bent(cosigned).map(note => ({ note, vkeys })),
    policies: bent(cosigned)
      .map(note => ({ policy, note }))
      .concat(bent(policy).map(each => ({ policy: each, note: cosigned }))),
    ...vectors(),
    bundles: [],
    paths: ["tile/0/000", "tile/0/x001/234.p/17", "tile/64/000", "tile/entries/000.p/256", "tile/0/1"],
    requests: bent(request).flatMap(body => [
      { body, vkeys, last: null },
      { body, vkeys, last: `3 ${base64(new Uint8Array(32))}` },
    ]),
    receipts: receipts.flatMap(bent).map(receipt => ({ receipt, policy: `log ${log.vkey}\nquorum none\n` })),
  }
}

function vectors(): Pick<Questions, "inclusions" | "consistencies"> {
  if (!hasVectors) return { inclusions: [], consistencies: [] }
  const all = <T>(what: string) => {
    const at = sharedData(`vectors/merkle/testdata/${what}`)
    const names = readdirSync(at, { recursive: true, encoding: "utf8" }).filter(name =>
      name.endsWith(".json"),
    )
    return names.map(name => JSON.parse(readFileSync(join(at, name), "utf8")) as T)
  }
  type Inclusion = {
    leafIdx: number
    treeSize: number
    root: string | null
    leafHash: string | null
    proof: string[] | null
  }
  type Consistency = {
    size1: number
    size2: number
    root1: string | null
    root2: string | null
    proof: string[] | null
  }
  return {
    inclusions: all<Inclusion>("inclusion").map(each => ({
      index: each.leafIdx,
      size: each.treeSize,
      leaf: each.leafHash ?? "",
      root: each.root ?? "",
      proof: each.proof ?? [],
    })),
    consistencies: all<Consistency>("consistency").map(each => ({
      oldSize: each.size1,
      newSize: each.size2,
      oldRoot: each.root1 ?? "",
      newRoot: each.root2 ?? "",
      proof: each.proof ?? [],
    })),
  }
}

describe.skipIf(chromium === undefined)(
  `in Chromium${chromium === undefined ? " (skipped: no Chromium here)" : ""}`,
  () => {
    test("the log's verifying code gives the same answers as in Node", async () => {
      const questions = await questionsOf()
      await build({
        root,
        configFile: false,
        logLevel: "silent",
        build: {
          outDir: join(folder, "out"),
          minify: false,
          lib: {
            entry: join(root, "test/browser/page.ts"),
            formats: ["iife"],
            name: "page",
            fileName: () => "page.js",
          },
        },
      })
      const script = await readFile(join(folder, "out", "page.js"), "utf8")
      expect(script).not.toMatch(/(from|require\() ?"node:/)
      const data = JSON.stringify(questions).replaceAll("<", "\\u003c")
      await writeFile(
        join(folder, "page.html"),
        `<!doctype html><meta charset="utf-8"><body></body><script>const questions=${data}</script><script>${script.replaceAll("</script", "<\\/script")}</script>`,
      )
      const args = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        `--user-data-dir=${join(folder, "profile")}`,

        "--dump-dom",
      ]
      const child = spawn(chromium!, [...args, `file://${join(folder, "page.html")}`], {
        stdio: ["ignore", "pipe", "ignore"],
      })
      let dom = ""
      child.stdout.on("data", (chunk: Buffer) => (dom += chunk.toString()))
      await new Promise(resolve => child.once("close", resolve))
      const found = /ANSWERS ([^ $]+) END/.exec(dom)?.[1]
      expect(found).toBeDefined()
      const answers = JSON.parse(decodeURIComponent(found!)) as unknown
      const expected = judgements(questions, verifyEd25519)
      expect(answers).toEqual(expected)
      expect(JSON.stringify(expected)).toContain('"kind":"ok"')
      expect(JSON.stringify(expected)).toContain('"kind":"refuse"')
    })
  },
)
