import { spawn } from "node:child_process"
import { createServer, request as ask, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { base64 } from "../src/bytes.ts"
import { formatKeyFile } from "../src/cli/keyfile.ts"
import { register } from "../src/custody/register.ts"
import { newSeed, signerOf } from "../src/ed25519.ts"
import type { LaneHealth } from "../src/lane/health-door.ts"
import { callerOf, type TestPort } from "./port.ts"
import { program } from "./server.ts"

/** Enrolls a reader for an agent. @returns its id, and the text of its key file. */
export async function enrollReader(
  port: TestPort,
  boxes: "trusted" | "none" = "none",
): Promise<{ reader: string; keyFile: string }> {
  const seed = newSeed()
  const key = base64(signerOf(seed).publicKey)
  const statement = { lane: port.lane, key, boxes, name: `Agent ${key.slice(0, 6)}` }
  const caller = await callerOf(port.house, port.people.custodian, { path: "/v1/readers", statement })
  const { id } = await register(port.house, caller, "readers")
  const notes = {
    port: port.reader.port,
    lane: port.lane,
    custodian: base64(port.people.custodian.signer.publicKey),
    log: port.house.log.vkey,
  }
  const keyFile = formatKeyFile({ vault: port.house.log.origin, id, notes, seed: base64(seed) })
  return { reader: id, keyFile }
}

export interface TestAgent {
  /** Where readers push to; the folder that is watched. */
  readonly where: string
  readonly pid: number
  readonly ended: Promise<string>
  readonly output: () => string
  health(): Promise<LaneHealth>
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<string>
}

/** Starts an agent process of its own and waits for its first line. Ended by its process id. */
export async function startAgent(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<TestAgent> {
  const child = spawn(process.execPath, [program, "lane", ...words, "--health", "127.0.0.1:0"], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()))
  let end: string | null = null
  const ended = new Promise<string>(resolve =>
    child.once("exit", (code, signal) => resolve((end = signal ?? String(code)))),
  )
  for (let left = 600; left > 0; left -= 1) {
    const [, where, health] = /agent listening (\S+) health (\S+)/.exec(output) ?? []
    if (where !== undefined && health !== undefined) {
      return {
        where,
        pid: child.pid ?? 0,
        ended,
        output: () => output,
        health: async () => (await (await fetch(`${health}/health`)).json()) as LaneHealth,
        kill: signal => {
          child.kill(signal)
          return ended
        },
      }
    }
    if (end !== null) throw new Error(`the agent ended (${String(end)}) before it listened: ${output}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  child.kill("SIGKILL")
  throw new Error(`the agent did not listen in 30 s: ${output}`)
}

/** What stands between lane and vault: one address, behind which the vault comes and goes. */
export interface Between {
  readonly url: string
  /** Where the vault is now. */
  target: string
  /** `busy` answers 503; `away` refuses connections. */
  be(mode: "open" | "busy" | "away"): Promise<void>
  /** Requests that it saw. */
  readonly asked: () => number
}

export async function standBetween(target: string): Promise<Between> {
  let mode: "open" | "busy" | "away" = "open"
  let asked = 0
  const between = { target }
  const listener: RequestListener = (request, response) => {
    asked += 1
    if (mode !== "open") {
      request.resume()
      response.writeHead(503, { "retry-after": "1" }).end()
      return
    }
    const { method, url, headers } = request
    const through = ask(`${between.target}${url}`, { method: method!, headers }, answer => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    through.once("error", () => response.destroy())
    request.pipe(through)
  }
  let front = createServer(listener)
  const listen = (port: number) =>
    new Promise<void>(resolve => front.listen(port, "127.0.0.1", () => resolve()))
  await listen(0)
  const { port } = front.address() as AddressInfo
  return Object.assign(between, {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    be: async (next: "open" | "busy" | "away") => {
      if (next === "away" && mode !== "away") {
        front.close()
        front.closeAllConnections()
      } else if (next !== "away" && mode === "away") {
        front = createServer(listener)
        await listen(port)
      }
      mode = next
    },
  })
}

/** What no byte of a lane's disk may hold: how pictures begin, wherever it lies, and what the test planted. */
const forbidden: Readonly<Record<string, Buffer>> = {
  "JPEG tables": Buffer.from("ffdb004300", "hex"),
  JFIF: Buffer.from("JFIF\0"),
  Exif: Buffer.from("Exif\0\0"),
  PNG: Buffer.from("89504e470d0a1a0a", "hex"),
  WebP: Buffer.from("WEBPVP8"),
  "planted plate": Buffer.from("SP7X042"),
  "planted plate, reversed bytes of UTF-16": Buffer.from("SP7X042", "utf16le"),
}

/** Every file under these folders that holds something in the clear, as `file: what`; with how many bytes were read. */
export async function clearBytes(
  folders: readonly string[],
): Promise<{ readonly found: string[]; readonly files: number; readonly bytes: number }> {
  const found: string[] = []
  let [files, bytes] = [0, 0]
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    for (const entry of entries.filter(each => each.isFile())) {
      const file = join(entry.parentPath, entry.name)
      // Captures come and go while the disk is read.
      const held = await readFile(file).catch(() => null)
      if (held === null) continue
      files += 1
      bytes += held.length
      if (entry.name.includes("SP7X042")) found.push(`${file}: planted plate in its name`)
      if (held.subarray(0, 3).toString("hex") === "ffd8ff") found.push(`${file}: begins as a JPEG`)
      for (const [what, needle] of Object.entries(forbidden))
        if (held.includes(needle)) found.push(`${file}: ${what}`)
    }
  }
  return { found, files, bytes }
}

/** The peak of a process's resident memory, MB; 0 where the system does not say. */
export async function peakMemory_mb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "")
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? "0") / 1024)
}
