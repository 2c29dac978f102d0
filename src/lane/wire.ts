import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from "node:http"
import { Agent as TlsAgent, request as tlsRequest } from "node:https"
import { Fault } from "../fault.ts"

export interface Ask {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly type?: string
  readonly body?: Uint8Array
}

export interface Answer {
  readonly status: number
  readonly type: string
  /** Seconds of a `Retry-After`, 0 without one. */
  readonly retryAfter_s: number
  readonly text: string
}

const loopback = ["127.0.0.1", "[::1]", "localhost"]
const mostAnswer_bytes = 2_000_000

/** The line to the vault: one connection, kept open. It trusts no answer; those who asked check what was signed. */
export class Wire {
  readonly #origin: URL
  readonly #timeout_ms: number
  readonly #agent: PlainAgent
  #offset_ms: number | null = null

  /** @throws Fault PLAIN_HTTP for http beyond loopback, INVALID for what is no URL. */
  constructor(server: string, timeout_ms: number) {
    if (!URL.canParse(server)) throw new Fault("INVALID", `${server} is no URL`)
    this.#origin = new URL(server.endsWith("/") ? server : `${server}/`)
    const { protocol, hostname } = this.#origin
    if (protocol !== "https:" && !(protocol === "http:" && loopback.includes(hostname)))
      throw new Fault("PLAIN_HTTP", `${server} is neither https nor on loopback; nothing was sent`)
    this.#timeout_ms = timeout_ms
    const options = { keepAlive: true, maxSockets: 4 }
    this.#agent = protocol === "https:" ? new TlsAgent(options) : new PlainAgent(options)
  }

  /** Our clock less the vault's, by the Date header of its last answer; to a second. `null` before the first. */
  get clockOffset_ms(): number | null {
    return this.#offset_ms
  }

  /** @throws Fault NO_SERVER when nothing answers in time, or no more than part of an answer comes. */
  async ask(ask: Ask): Promise<Answer> {
    const asked_ms = Date.now()
    try {
      const response = await this.#send(ask)
      this.#compare(response.headers.date, asked_ms)
      return await answerOf(response)
    } catch (cause) {
      throw new Fault("NO_SERVER", `no vault answers at ${this.#origin.host}`, { cause })
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #send({ method, path, type, body }: Ask): Promise<IncomingMessage> {
    const request = this.#origin.protocol === "https:" ? tlsRequest : plainRequest
    const headers = {
      ...(type === undefined ? {} : { "content-type": type }),
      ...(body === undefined ? {} : { "content-length": body.length }),
    }
    return new Promise((resolve, reject) => {
      const url = new URL(path.replace(/^\//, ""), this.#origin)
      const signal = AbortSignal.timeout(this.#timeout_ms)
      const sent = request(url, { method, headers, agent: this.#agent, signal }, resolve)
      sent.on("error", reject)
      sent.end(body)
    })
  }

  /** A Date header is cut to the second: half of one is added, and the middle of the way there and back taken. */
  #compare(date: string | undefined, asked_ms: number): void {
    const theirs_ms = Date.parse(date ?? "")
    if (Number.isFinite(theirs_ms))
      this.#offset_ms = Math.round((asked_ms + Date.now()) / 2 - (theirs_ms + 500))
  }
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += (chunk as Buffer).length
    if (size > mostAnswer_bytes) {
      response.destroy()
      throw new Error(`the answer is longer than ${mostAnswer_bytes} bytes`)
    }
    chunks.push(chunk as Buffer)
  }
  const retryAfter = response.headers["retry-after"] ?? ""
  return {
    status: response.statusCode ?? 0,
    type: (response.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "",
    retryAfter_s: /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : 0,
    text: Buffer.concat(chunks).toString("utf8"),
  }
}
