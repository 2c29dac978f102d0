import { request as requestPlain, type IncomingMessage, type RequestOptions } from "node:http"
import { request as requestTls } from "node:https"
import type { LookupFunction } from "node:net"
import { reach, isInside } from "./guard.ts"
import { failed, reasonOf, taken, type Outcome, type Target } from "./parcel.ts"

/** Nothing of an answer's body is needed; a longer one is cut off. */
const mostAnswer_bytes = 16_384
/** Longest silence in any phase: connecting, TLS, the answer's head, its body. */
const silence_ms = 5000

/**
 * Posts to a receiver outside: to the address that was judged, over TLS unless it is in a network that the configuration
 * allows, following no redirect, within the target's time and 5 s of silence.
 * @returns taken on 2xx.
 */
export async function post(
  target: Target,
  of: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Promise<Outcome> {
  const { settings, destination, address, signal } = target
  const url = new URL(address)
  const host = url.hostname.replace(/^\[|\]$/g, "")
  const allowed = settings.networks[destination.name] ?? []
  const reached = await reach(host, { allowed, lookup: settings.lookup })
  if ("why" in reached) return failed(reached.why)
  if (url.protocol === "http:" && !isInside(reached.address))
    return failed("without TLS only a network that outbox_networks allows is spoken to")
  const lookup: LookupFunction = (_, options, done) =>
    options.all === true
      ? done(null, [{ address: reached.address, family: reached.family }])
      : done(null, reached.address, reached.family)
  const ca = settings.ca === null ? {} : { ca: settings.ca }
  const length = { "content-length": String(Buffer.byteLength(of.body)) }
  const agent = { agent: false, lookup, signal, ...ca }
  const options = { method: "POST", headers: { ...of.headers, ...length }, ...agent }
  try {
    return outcomeOf(await exchange(url, options, of.body))
  } catch (error) {
    return failed(reasonOf(error))
  }
}

function exchange(url: URL, options: RequestOptions, body: string): Promise<IncomingMessage> {
  const request = url.protocol === "http:" ? requestPlain : requestTls
  return new Promise((resolve, reject) => {
    const asked = request(url, options, answer => {
      drain(answer)
      resolve(answer)
    })
    asked.setTimeout(silence_ms, () =>
      asked.destroy(Object.assign(new Error("silent"), { code: "ETIMEDOUT" })),
    )
    asked.once("error", reject)
    asked.end(body)
  })
}

function drain(answer: IncomingMessage): void {
  let size_bytes = 0
  answer.on("error", () => undefined)
  answer.on("data", (chunk: Buffer) => {
    size_bytes += chunk.length
    if (size_bytes > mostAnswer_bytes) answer.destroy()
  })
}

function outcomeOf({ statusCode = 0 }: IncomingMessage): Outcome {
  if (statusCode >= 200 && statusCode < 300) return taken
  if (statusCode === 410)
    return { kind: "failed", why: "it answered 410: it wants no more of this", isFinal: true }
  if (statusCode >= 300 && statusCode < 400)
    return failed(`it answered ${statusCode}: redirects are not followed`)
  return failed(`it answered ${statusCode}`)
}
