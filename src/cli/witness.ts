import type { Command } from "commander"
import { statSync, readFileSync } from "node:fs"
import { mkdir, open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { base64, fromBase64 } from "../bytes.ts"
import { newSeed, signerOf, type Signer } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { formatVkey, parseVkey } from "../tlog/note.ts"
import { openWitnessServer } from "../witness/server.ts"
import { Witness } from "../witness/witness.ts"
import { globalsOf } from "./context.ts"
import { answer, table, tell } from "./say.ts"
import { addressOf } from "./address.ts"

interface DataOption {
  readonly data: string
}

/** witness: serve, add, ls. On the machine of the one who watches the log, never on the vault's. */
export function witnessCommands(program: Command): void {
  const witness = program
    .command("witness")
    .description("a witness for logs (c2sp.org/tlog-witness), on a machine of somebody else's")
  witness
    .command("serve")
    .requiredOption("--data <dir>", "its key, the logs it trusts and what it has cosigned")
    .option("--name <name>", "its name, at the first start: a schemeless URL, such as ig.example/witness")
    .option("--listen <host:port>", "", "127.0.0.1:7310")
    .option("--rate <number>", "requests a second, of each address", "50")
    .action(async (options: ServeOptions, self: Command) => {
      const running = await serveWitness(options)
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void running.close())
      tell(globalsOf(self), running.firstLine)
      await running.ended
    })
  witness
    .command("add <vkey>")
    .description("trust a log's verification key")
    .requiredOption("--data <dir>")
    .action(async (vkey: string, { data }: DataOption, self: Command) => {
      const key = parseVkey(vkey)
      if (key?.type !== 1)
        throw new Fault("INVALID", "not the verification key of a log: NAME+ID+KEY", {
          next: "sallyport log policy --server URL shows the key",
        })
      const held = await readLogs(data)
      if (!held.includes(vkey)) await appendLine(join(data, "logs"), vkey)
      answer(globalsOf(self), { origin: key.name, vkey }, [`trusted  ${key.name}`])
    })
  witness
    .command("ls")
    .description("the logs that it trusts, and its own key")
    .requiredOption("--data <dir>")
    .action(async ({ data }: DataOption, self: Command) => {
      const { name, signer } = await readIdentity(data, undefined)
      const vkey = formatVkey(name, signer.publicKey, "witness")
      const logs = (await readLogs(data)).map(each => ({ origin: parseVkey(each)?.name ?? "", vkey: each }))
      const rows = logs.map(each => [each.origin, each.vkey])
      const none = ["no log is trusted yet: sallyport witness add VKEY --data DIR"]
      answer(globalsOf(self), { name, vkey, logs }, [
        `witness ${name} ${vkey}`,
        ...(rows.length === 0 ? none : table(["origin", "key"], rows)),
      ])
    })
}

export interface ServeOptions extends DataOption {
  readonly name?: string
  readonly listen: string
  readonly rate: string
}

/** Starts a witness; its key is made at the first start. */
export async function serveWitness(options: ServeOptions): Promise<{
  readonly firstLine: string
  readonly url: string
  readonly vkey: string
  readonly ended: Promise<void>
  close(): Promise<void>
}> {
  const perSecond = Number(options.rate)
  if (!(perSecond >= 1)) throw new Fault("INVALID", "--rate is at least 1 request a second")
  const { host, port } = addressOf(options.listen)
  const { name, signer } = await readIdentity(options.data, options.name)
  const logs = logsReader(join(options.data, "logs"))
  const file = join(options.data, "witness.sqlite")
  const witness = new Witness({ name, signer, file, logs, clock: Date.now })
  const origins = () => logs().map(vkey => parseVkey(vkey)?.name ?? "")
  const rate = { perSecond, burst: perSecond * 4 }
  const server = await openWitnessServer(witness, { host, port, rate, logs: origins, clock: Date.now })
  let end: () => void = () => undefined
  const ended = new Promise<void>(resolve => (end = resolve))
  const close = async () => {
    await server.close()
    witness.close()
    end()
  }
  const firstLine = `witness listening ${server.url} logs=${logs().length} key=${witness.vkey}`
  return { firstLine, url: server.url, vkey: witness.vkey, ended, close }
}

/** The witness's name and key: one file, made once. */
async function readIdentity(
  data: string,
  name: string | undefined,
): Promise<{ readonly name: string; readonly signer: Signer }> {
  const file = join(data, "witness.key")
  const text = await readFile(file, "utf8").catch(() => null)
  if (text === null && name === undefined)
    throw new Fault("CONFIG", `no witness stands in ${data}`, {
      next: "sallyport witness serve --data DIR --name ig.example/witness",
    })
  if (text === null) {
    if (/[\s+]/.test(name ?? "") || name === "")
      throw new Fault("INVALID", "a witness's name has no space and no +")
    await mkdir(data, { recursive: true, mode: 0o700 })
    const seed = newSeed()
    await appendLine(file, `${name} ${base64(seed)}`)
    return { name: name ?? "", signer: signerOf(seed) }
  }
  const [held = "", secret = ""] = text.trim().split(" ")
  const seed = fromBase64(secret)
  if (seed?.length !== 32) throw new Fault("CONFIG", `${file} is not a witness's key file`)
  if (name !== undefined && name !== held)
    throw new Fault("CONFLICT", `the witness of ${data} is named ${held}`)
  return { name: held, signer: signerOf(seed) }
}

async function readLogs(data: string): Promise<string[]> {
  const text = await readFile(join(data, "logs"), "utf8").catch(() => "")
  return vkeysOf(text)
}

function vkeysOf(text: string): string[] {
  return text.split("\n").filter(line => parseVkey(line) !== null)
}

/** Looks at the file again when it has changed, so that a log can be added while the witness runs. */
function logsReader(file: string): () => readonly string[] {
  let [changed_ms, logs] = [-1, [] as string[]]
  return () => {
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat === undefined) return []
    if (stat.mtimeMs !== changed_ms) {
      changed_ms = stat.mtimeMs
      logs = vkeysOf(readFileSync(file, "utf8"))
    }
    return logs
  }
}

async function appendLine(file: string, line: string): Promise<void> {
  const handle = await open(file, "a", 0o600)
  await handle.writeFile(`${line}\n`)
  await handle.sync()
  await handle.close()
}
