import fastify, { type FastifyInstance, type FastifyReply } from "fastify"
import { RateLimit, type Rate } from "../rate.ts"
import { formatLastSize, maxRequest_bytes, sizeType, type WitnessAnswer } from "../tlog/witness.ts"
import { statusPage, pageStyles } from "./page.ts"
import type { Witness } from "./witness.ts"
import { pageHeaders } from "../html.ts"

export interface WitnessServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Of each address. */
  readonly rate: Rate
  /** Origins that are witnessed, for the status page. */
  readonly logs: () => readonly string[]
  readonly clock: () => number
}

/**
 * The witness's doors: `POST /add-checkpoint`, `GET /<origin hash>/checkpoint`, a status page and the same as JSON. All
 * that passes here is public and signed, so it needs no TLS to be believed: an address in between can only withhold.
 */
export async function openWitnessServer(
  witness: Witness,
  options: WitnessServerOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = fastify({ logger: false, bodyLimit: maxRequest_bytes, requestTimeout: 10_000 })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body))
  const rates = new RateLimit(options.rate)
  app.addHook("onRequest", async (request, reply) => {
    if (rates.take(request.ip, performance.now())) return
    await plain(reply.code(429).header("retry-after", "1"), "too many requests\n")
  })
  app.setErrorHandler((error: { statusCode?: number }, _, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500
    if (status === 500) process.stderr.write(`${String(error)}\n`)
    return plain(reply.code(status), status === 500 ? "the witness could not answer\n" : "malformed\n")
  })
  addRoutes(app, witness, options)
  const url = await app.listen({ host: options.host, port: options.port })
  return { url, close: () => app.close() }
}

function addRoutes(app: FastifyInstance, witness: Witness, options: WitnessServerOptions): void {
  app.post("/add-checkpoint", (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array()
    return answer(reply, witness.addCheckpoint(body))
  })
  app.get("/:id/checkpoint", (request, reply) => {
    const held = witness.held((request.params as { id: string }).id)
    void reply.header("cache-control", "no-cache")
    return held === null ? plain(reply.code(404), "never cosigned here\n") : plain(reply, held.note)
  })
  const now = () => {
    const held = new Map(witness.all().map(each => [each.origin, each]))
    const origins = [...new Set([...options.logs(), ...held.keys()])].sort()
    return {
      name: witness.name,
      vkey: witness.vkey,
      as_of: new Date(options.clock()).toISOString(),
      logs: origins.map(origin => {
        const last = held.get(origin)
        return {
          origin,
          size: last?.size ?? null,
          cosigned_at: last === undefined ? null : new Date(last.at_s * 1000).toISOString(),
          checkpoint: last?.note ?? null,
        }
      }),
    }
  }
  app.get("/status", (_, reply) => reply.header("cache-control", "no-store").send(now()))
  app.get("/", (_, reply) => {
    return reply.headers(pageHeaders(pageStyles)).send(statusPage(now()))
  })
}

function answer(reply: FastifyReply, given: WitnessAnswer & { readonly lines?: string }): FastifyReply {
  if (given.status === 200) return plain(reply, given.lines ?? "")
  if (given.status === 409) return reply.code(409).type(sizeType).send(formatLastSize(given.lastSize))
  return plain(reply.code(given.status), `${given.why}\n`)
}

function plain(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("text/plain; charset=utf-8").send(text)
}
