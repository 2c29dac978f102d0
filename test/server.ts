import { spawn, type ChildProcess } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Client } from "../src/cli/client.ts"
import type { Actor } from "./port.ts"

/** A server process of its own, as an operator starts it. */
export interface TestServer {
  readonly url: string
  readonly pid: number
  /** All that it wrote. */
  readonly output: () => string
  /** Resolves with the signal or code that ended it. */
  readonly ended: Promise<string>
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<string>
}

/** The checkout's command, from here and from where this file is built to for a bench. */
export const program = ["../bin/sallyport", "../../bin/sallyport"]
  .map(path => fileURLToPath(new URL(path, import.meta.url)))
  .find(existsSync) as string

/** Starts `sallyport serve` on a free port and waits for its first line. Ended by its process id. */
export async function startServer(
  data: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const child = spawn(process.execPath, [program, "serve", "--data", data, "--listen", "127.0.0.1:0"], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<string>(resolve =>
    child.once("exit", (code, signal) => resolve(signal ?? String(code))),
  )
  const url = await listening(child, () => output, ended)
  const kill = (signal: "SIGKILL" | "SIGTERM") => {
    child.kill(signal)
    return ended
  }
  return { url, pid: child.pid ?? 0, output: () => output, ended, kill }
}

async function listening(child: ChildProcess, output: () => string, ended: Promise<string>): Promise<string> {
  let end: string | null = null
  void ended.then(how => (end = how))
  for (let left = 600; left > 0; left -= 1) {
    const url = /listening (http:\S+)/.exec(output())?.[1]
    if (url !== undefined) return url
    if (end !== null) throw new Error(`the server ended (${String(end)}) before it listened: ${output()}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  child.kill("SIGKILL")
  throw new Error(`the server did not listen in 30 s: ${output()}`)
}

export function clientFor(actor: Pick<Actor, "signer">, url: string, vault: string): Client {
  return new Client({ server: url, vault, signer: actor.signer })
}
