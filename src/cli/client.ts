import { createHash, randomBytes } from "node:crypto"
import { base64 } from "../bytes.ts"
import { Fault, faults, type FaultCode } from "../fault.ts"
import type { Signer } from "../ed25519.ts"
import { commitment, deviceMessage, signatureBase, type Opening, type Statement } from "../grant/request.ts"
import { signatureHeaders } from "../grant/request-headers.ts"

/** Who asks, of which vault, where. */
export interface ClientOptions {
  readonly server: string
  /** The log's origin, pinned by the key file. */
  readonly vault: string
  readonly signer: Signer | null
  /** Signs beside the person, where a grant or contract names the device. */
  readonly device?: Signer | null
}

export interface Ask {
  readonly method: "GET" | "POST"
  /** With its query. */
  readonly path: string
  readonly statement?: Statement
  /** Personal texts: sent as commitments with their openings. */
  readonly names?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Longest time until the whole answer is here, ms. Default 120,000. */
  readonly timeout_ms?: number
}

const timeout_ms = 120_000
const loopback = ["127.0.0.1", "[::1]", "localhost"]

/** Speaks to a vault; every request that has a signer is signed (RFC 9421). */
export class Client {
  readonly #options: ClientOptions

  /** @throws Fault PLAIN_HTTP for http beyond loopback. */
  constructor(options: ClientOptions) {
    const { protocol, hostname } = new URL(options.server)
    if (protocol !== "https:" && !loopback.includes(hostname)) {
      throw new Fault("PLAIN_HTTP", `${options.server} is neither https nor on loopback; nothing was sent`)
    }
    this.#options = options
  }

  /** The JSON answer. @throws Fault with the server's own code. */
  async json<T>(ask: Ask): Promise<T> {
    return (await (await this.send(ask)).json()) as T
  }

  async text(ask: Ask): Promise<string> {
    return (await this.send(ask)).text()
  }

  /** Brings bytes that were named by their digest in a signed request before, and so need no signature of their own. */
  async bring<T>(path: string, bytes: Uint8Array): Promise<T> {
    const headers = { "content-type": "application/octet-stream" }
    const response = await this.#fetch(path, { method: "POST", headers, body: bytes as BodyInit })
    return (await response.json()) as T
  }

  async send(ask: Ask): Promise<Response> {
    const { body, statement } = bodyOf(ask)
    const headers = this.#headers(ask, body, statement)
    const request = { method: ask.method, headers, ...(body === null ? {} : { body }) }
    return this.#fetch(ask.path, request, ask.timeout_ms)
  }

  /**
   * The last line of an answer in lines of JSON, whose others are progress.
   * @throws Fault with the server's own code, also where it comes as the last line.
   */
  async lines<T>(ask: Ask, progress: (done: number, of: number) => void): Promise<T> {
    const { body } = await this.send(ask)
    let rest = ""
    const decoder = new TextDecoder()
    for await (const chunk of (body ?? new ReadableStream()) as AsyncIterable<Uint8Array>) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n")
      rest = parts.pop() ?? ""
      for (const line of parts) {
        const said = JSON.parse(line) as { done?: number; of?: number; result?: T; problem?: Problem }
        if (said.problem !== undefined) throw faultIn(said.problem, 500)
        if (said.result !== undefined) return said.result
        progress(said.done ?? 0, said.of ?? 0)
      }
    }
    throw new Fault("NO_SERVER", "the server's answer ended before its result", { next: "the same again" })
  }

  async #fetch(path: string, request: RequestInit, patience_ms = timeout_ms): Promise<Response> {
    const url = `${this.#options.server.replace(/\/$/, "")}${path}`
    const limited = { ...request, signal: AbortSignal.timeout(patience_ms) }
    const response = await fetch(url, limited).catch((cause: unknown) => {
      throw new Fault("NO_SERVER", `no vault answers at ${this.#options.server}`, {
        cause,
        next: "sallyport serve, or --server URL",
      })
    })
    if (!response.ok) throw await faultOf(response)
    return response
  }

  #headers(ask: Ask, body: string | null, statement: Statement | null): Record<string, string> {
    const { signer, vault } = this.#options
    const plain = { ...ask.headers, ...(body === null ? {} : { "content-type": "application/json" }) }
    if (signer === null) return plain
    const at = ask.path.indexOf("?")
    const unsigned = {
      method: ask.method,
      path: at < 0 ? ask.path : ask.path.slice(0, at),
      query: at < 0 ? "?" : ask.path.slice(at),
      created: Math.floor(Date.now() / 1000),
      nonce: randomBytes(18).toString("base64url"),
      content_sha256: body === null ? null : createHash("sha256").update(body).digest("base64"),
      key: base64(signer.publicKey),
    }
    const message = signatureBase(unsigned, vault, statement)
    const by = this.#options.device ?? null
    const device =
      by === null ? null : { key: base64(by.publicKey), signature: base64(by.sign(deviceMessage(message))) }
    const asked = { ...unsigned, signature: base64(signer.sign(message)), device, passkey: null }
    return { ...plain, ...signatureHeaders(asked, vault, statement) }
  }
}

function bodyOf({ statement, names = {} }: Ask): {
  readonly body: string | null
  readonly statement: Statement | null
} {
  if (statement === undefined) return { body: null, statement: null }
  const openings: Record<string, Opening> = {}
  const committed: Record<string, unknown> = { ...statement }
  for (const [field, value] of Object.entries(names)) {
    const salt = new Uint8Array(randomBytes(32))
    committed[`${field}_commitment`] = commitment(field, salt, value)
    openings[field] = { salt: base64(salt), value }
  }
  const whole = Object.keys(openings).length === 0 ? committed : { ...committed, openings }
  return { body: JSON.stringify(whole), statement: committed }
}

/** The server's refusal as our own. */
export async function faultOf(response: Response): Promise<Fault> {
  return faultIn((await response.json().catch(() => ({}))) as Problem, response.status)
}

interface Problem {
  readonly code?: string
  readonly detail?: string
  readonly not_done?: string
  readonly next?: string
  readonly entry?: number
}

function faultIn(problem: Problem, status: number): Fault {
  const isKnown = problem.code !== undefined && Object.hasOwn(faults, problem.code)
  const code = isKnown ? (problem.code as FaultCode) : "INTERNAL"
  return new Fault(code, problem.detail ?? `the server answered ${status}`, {
    ...(problem.not_done === undefined ? {} : { notDone: problem.not_done }),
    ...(problem.next === undefined ? {} : { next: problem.next }),
    ...(problem.entry === undefined ? {} : { entry: problem.entry }),
  })
}
