import { access, mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fromBase64 } from "../bytes.ts"
import { signerOf } from "../ed25519.ts"
import { drawCapture } from "../drawing/capture.ts"
import { demoScene } from "./canary-pictures.ts"
import { Fault } from "../fault.ts"
import { extentWords } from "../grant/level.ts"
import { postCapture } from "../lane/post.ts"
import { readRecipients, recipientOn, type Recipients } from "../lane/recipients.ts"
import { sealPicture, type LaneReader } from "../lane/seal.ts"
import { formatVkey } from "../tlog/note.ts"
import { sendFolder } from "../lane/send.ts"
import { Sequence } from "../lane/sequence.ts"
import type { Plan } from "../custody/draw.ts"
import { Client } from "./client.ts"
import { clientOf, keyOf, laneKeyOf, makeVault, origin, setUp } from "./demo-port.ts"
import { storeDelivery } from "./draw.ts"
import type { Grant } from "./grant-reading.ts"
import { readKeyFile } from "./keyfile.ts"
import { progress, tell, type Voice } from "./say.ts"
import { serve, type Served } from "./serve.ts"
import { serveWitness } from "./witness.ts"

export interface DemoOptions {
  readonly pace: "story" | "fast" | "none"
  readonly captures?: string
  readonly data: string
  readonly listen: string
  readonly voice: Voice
}

interface Lane {
  readonly reader: LaneReader
  readonly sequence: Sequence
}

const firstCaptures = 24
const drawn = 8

/**
 * The demo: a real vault, real keys, a real log; only the port and its people are drawn. It tells what it does in the
 * order in which it happens, then keeps serving until it is stopped.
 */
export async function demo(options: DemoOptions): Promise<void> {
  const { data, voice, pace } = options
  const isNew = !(await exists(join(data, "config.json")))
  if (isNew) await makeVault(data)
  const witness = await startWitness(data)
  const served = await serve({ data, listen: options.listen, voice, notices: "sentences" })
  void served.ended.then(() => witness.close())
  const client = new Client({ server: served.url, vault: origin, signer: null })
  if (isNew) await setUp(data, served.url)
  tell(
    voice,
    `${isNew ? "made" : "opened"} a port with 4 lanes in ${data}; key files of its people in ${join(data, "people")}`,
  )
  const lanes = await lanesOf(data)
  if (options.captures !== undefined && isNew)
    await sendPhotographs(options.captures, { client, lanes, voice, served, data })
  if (pace === "none") return finish(served, voice, options)
  const flow = options.captures === undefined ? flowOf({ client, lanes, served, data }) : null
  if (flow !== null) {
    for (let i = 0; i < firstCaptures; i += 1) {
      await flow.next(i)
      progress(voice, i + 1, firstCaptures, "captures drawn, sealed and sent")
    }
  }
  await examinedAll(await clientOf(data, "custodian", served.url))
  tell(
    voice,
    `IN       ${flow === null ? "the photographs are" : `${firstCaptures} captures of 4 lanes are`} sealed in and examined; their pictures exist nowhere in the clear`,
  )
  await tellStory(served, options)
  await tellNext(served, options)
  const more = flow === null ? null : keepFlowing(flow, pace === "story" ? 1500 : 250, served)
  await served.ended
  await more
}

/** In the demo the inspector general's witness runs beside the vault, on a port of its own. */
async function startWitness(data: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const folder = join(data, "witness")
  const name = "inspector-general.example/witness"
  const witness = await serveWitness({ data: folder, name, listen: "127.0.0.1:0", rate: "100" })
  const seed = Buffer.from(await readFile(join(data, "keys", "log.key"), "utf8"), "base64")
  const log = formatVkey(origin, signerOf(seed).publicKey)
  await writeFile(join(folder, "logs"), `${log}\n`)
  const lines = [
    `log ${log}`,
    `witness inspector-general ${witness.vkey} ${witness.url}`,
    "quorum inspector-general",
  ]
  await writeFile(join(data, "witnesses"), `${lines.join("\n")}\n`)
  return witness
}

/** A granted draw, a refused one by a colleague, a refused bulk grab. */
async function tellStory(served: Served, { data, voice }: DemoOptions): Promise<void> {
  const engineer = await clientOf(data, "engineer", served.url)
  const grant = (await engineer.json<{ data: Grant[] }>({ method: "GET", path: "/v1/grants" })).data[0]
  if (grant === undefined) return
  const folder = join(data, "draw")
  await mkdir(folder, { recursive: true })
  const key = { "idempotency-key": `demo-${Date.now()}` }
  const ask = (count: number) =>
    ({ method: "POST", path: "/v1/draws", statement: { grant: grant.grant, count, captures: null } }) as const
  const plan = await engineer.json<Plan>({ ...ask(Math.min(drawn, grant.images_left)), headers: key })
  const permits: number[] = []
  for (const capture of plan.captures) {
    const statement = { grant: plan.grant, capture, level: plan.level }
    const response = await engineer.send({ method: "POST", path: "/v1/releases", statement })
    permits.push((await storeDelivery(response, { capture, folder })).permit)
  }
  tell(
    voice,
    `GRANTED  the engineer drew ${permits.length} of ${grant.terms.images} images at ${extentWords(grant.terms)} into ${folder}; permits are log entries ${permits.join(", ")}`,
  )
  const colleague = await clientOf(data, "colleague", served.url)
  await tellRefusal(voice, "his colleague, with the same grant", colleague.json({ ...ask(5), headers: key }))
  await tellRefusal(
    voice,
    "the engineer, for the whole archive",
    engineer.json({ ...ask(1840), headers: { "idempotency-key": `bulk-${Date.now()}` } }),
  )
}

async function tellRefusal(voice: Voice, who: string, asked: Promise<unknown>): Promise<void> {
  try {
    await asked
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    tell(
      voice,
      `REFUSED  ${who}: ${error.code}: ${error.message} ${error.extras.notDone ?? ""} Log entry ${error.extras.entry ?? "–"}.`,
    )
  }
}

async function tellNext(served: Served, { data, voice }: DemoOptions): Promise<void> {
  const { stopped } = served.opened.house.vault.gate
  const { log } = served.opened.house
  const { size } = await log.head()
  const url = log.witnesses?.presence()[0]?.url ?? null
  tell(
    voice,
    `LOG      ${size} entries; every one of the above is in it${stopped === null ? "" : `; STOPPED: ${stopped}`}`,
  )
  if (url !== null) tell(voice, `WITNESS  ${url}/ cosigns each tree before an image leaves, and remembers it`)
  tell(voice, `PAGE     ${served.url}/`)
  tell(voice, "TRY      in another terminal, from this folder:")
  const engineer = keyOf(data, "engineer")
  for (const line of [
    `bin/sallyport receipt verify ${join(data, "draw")}/*.tlog-proof --policy ${join(data, "policy")} --online --server ${served.url}`,
    `bin/sallyport grant ls --key ${engineer} --server ${served.url}`,
    `bin/sallyport draw --key ${engineer} --server ${served.url} --grant GRANT --count 3 --out my-draw`,
    `bin/sallyport log verify --server ${served.url} --policy ${join(data, "policy")}`,
    `bin/sallyport log fsck --key ${keyOf(data, "auditor")} --server ${served.url}`,
  ]) {
    tell(voice, `         ${line}`)
  }
  tell(voice, "STOP     Ctrl-C; the vault stays, and the same command opens it again")
}

async function finish(served: Served, voice: Voice, options: DemoOptions): Promise<void> {
  await tellNext(served, { ...options, voice })
  await served.ended
}

interface FlowOptions {
  readonly client: Client
  readonly lanes: readonly Lane[]
  readonly served: Served
  readonly data: string
}

interface Flow {
  next(index: number): Promise<void>
}

/** Pictures of the drawn port, one after the other over the lanes, each sealed as a lane seals it. */
function flowOf({ client, lanes, served, data }: FlowOptions): Flow {
  const seed = Date.now()
  let recipients: Recipients | null = null
  return {
    next: async index => {
      const at_ms = Date.now()
      recipients ??= await recipientsOf(client, data)
      const { reader, sequence } = lanes[index % lanes.length] ?? missing()
      const lane = (index % lanes.length) + 1
      const { picture, plate, faces } = await drawCapture({
        seed,
        lane,
        hour: (6 + index) % 24,
        index,
        scene: demoScene,
      })
      const event = { v: 1, source: "drawn", file: null, plates: [plate], faces } as const
      const shot = { picture, event, capturedAt_ms: at_ms, kind: "plate" } as const
      const sealed = await sealPicture(reader, shot, recipientOn(recipients, at_ms))
      await postCapture(served.url, sealed.numbered(await sequence.take()))
    },
  }
}

async function keepFlowing(flow: Flow, pause_ms: number, served: Served): Promise<void> {
  let isOpen = true
  void served.ended.then(() => (isOpen = false))
  for (let index = firstCaptures; isOpen; index += 1) {
    await flow.next(index).catch(() => undefined)
    await Promise.race([new Promise(resolve => setTimeout(resolve, pause_ms)), served.ended])
  }
}

async function sendPhotographs(
  folder: string,
  { client, lanes, voice, served, data }: FlowOptions & { readonly voice: Voice },
): Promise<void> {
  const [first] = lanes
  const { reader, sequence } = first ?? missing()
  const sent = await sendFolder({
    folder,
    reader,
    sequence,
    recipients: await recipientsOf(client, data),
    capturedAt: "now",
    post: capture => postCapture(served.url, capture),
    progress: (done, of) => progress(voice, done, of, "photographs sealed and sent"),
  })
  for (const { name, why } of [...sent.refused, ...sent.skipped]) tell(voice, `left out ${name}: ${why}`)
  await examinedAll(await clientOf(data, "custodian", served.url))
  tell(voice, `IN       ${sent.admitted.length} photographs of ${folder} are sealed in and examined`)
}

async function recipientsOf(client: Client, data: string): Promise<Recipients> {
  const key = await readKeyFile(laneKeyOf(data, 1))
  const custodian = fromBase64(key.notes.custodian ?? "") ?? missing()
  return readRecipients(await client.text({ method: "GET", path: "/v1/recipients" }), origin, custodian)
}

async function lanesOf(data: string): Promise<Lane[]> {
  return Promise.all(
    [1, 2, 3, 4].map(async number => {
      const file = laneKeyOf(data, number)
      const { id, notes, signer, vault } = await readKeyFile(file)
      const reader = { vault, port: notes.port ?? "", lane: notes.lane ?? "", reader: id, signer }
      return { reader, sequence: await Sequence.open(`${file}.sequence`) }
    }),
  )
}

async function examinedAll(custodian: Client): Promise<void> {
  for (;;) {
    const { data } = await custodian.json<{ data: { count: number; examined: number }[] }>({
      method: "GET",
      path: "/v1/capture-counts",
    })
    if (data.every(({ count, examined }) => count === examined)) return
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

function missing(): never {
  throw new Fault("CONFIG", "the demo's folder is not whole; remove it and start again")
}
