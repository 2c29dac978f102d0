import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import { newId } from "../ids.ts"
import type { ReaderEvent } from "../seal/contents.ts"
import { Turnstile } from "../turnstile.ts"
import type { Health } from "./health.ts"
import type { Intake } from "./intake.ts"

/** A picture of an event with what its reader said of it; of no bytes for a passage without one. */
export interface PushedShot {
  readonly picture: Uint8Array
  readonly kind: "plate" | "face" | "scene"
  readonly event: ReaderEvent
  readonly capturedAt_ms: number
  /** Shots of one crossing belong together. */
  readonly crossing_id: string | null
}

/** What an event says, once understood. */
export interface Understood {
  readonly shots: readonly PushedShot[]
  /** The reader's words about itself: kind and its own word for it. */
  readonly health: readonly { readonly kind: string; readonly told: string }[]
  /** Messages that are no passage of a vehicle. */
  readonly passedOver: readonly string[]
}

export interface PushedOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null
  /** Addresses that may push; `null` for all. */
  readonly from: readonly string[] | null
  /** How many events are read and sealed at once; 32 times as many wait, unread. */
  readonly atOnce: number
  /** Of one event. */
  readonly most_bytes: number
  /** @throws Fault for what is no event of this reader. */
  readonly understand: (event: PushedEvent) => Promise<Understood> | Understood
  readonly identify: (...parts: readonly (string | Uint8Array)[]) => string
  readonly intake: Intake
  readonly health: Health
  readonly clock: () => number
}

export interface PushedEvent {
  readonly contentType: string
  readonly body: Uint8Array
  readonly received_ms: number
}

const full_s = 30
const recipients_s = 300
const busy_s = 1
const crossingsHeld = 1000

/**
 * The door for readers: an event is answered with 200 only when every capture of it is durable in the spool, and with 503 when
 * that cannot be, so that the reader keeps it. What it does not understand is 4xx, and counted.
 */
export class PushedDoor {
  readonly #options: PushedOptions
  readonly #turnstile: Turnstile
  readonly #crossings = new Map<string, string>()
  readonly #server: Server

  private constructor(options: PushedOptions) {
    this.#options = options
    this.#turnstile = new Turnstile({ inside: options.atOnce, waiting: 32 * options.atOnce })
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(request, response)
    // Of each event that waits its turn, the agent holds no more than this beside what the network holds.
    const small = { highWaterMark: 16_384 }
    this.#server =
      options.tls === null
        ? createServer(small, listener)
        : createTlsServer({ ...small, ...options.tls }, listener)
    // Readers are slow, not patient: an event that is not whole in 30 s will not be.
    this.#server.requestTimeout = 30_000
    this.#server.headersTimeout = 10_000
    this.#server.keepAliveTimeout = 20_000
    // Well over those that may wait: the next ones are told that it is busy, and not just cut off.
    this.#server.maxConnections = 1024 + 32 * options.atOnce
  }

  static async open(options: PushedOptions): Promise<PushedDoor> {
    const door = new PushedDoor(options)
    await new Promise<void>((resolve, reject) => {
      door.#server.once("error", reject)
      door.#server.listen(options.port, options.host, resolve)
    })
    return door
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo
    const scheme = this.#options.tls === null ? "http" : "https"
    return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`
  }

  /** Takes no more events; those that are inside are answered. */
  async close(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
      setTimeout(() => this.#server.closeAllConnections(), 2000).unref()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { health } = this.#options
    try {
      this.#admits(request)
      const sequences = await this.#turnstile.pass(() => this.#receive(request))
      health.count("events_acknowledged")
      reply(response, { status: 200, body: { sequences } })
    } catch (error) {
      const fault = error instanceof Fault ? error : new Fault("INTERNAL", "the agent could not answer")
      const isBusy = fault.status === 503 || fault.status === 429
      health.count(isBusy ? "events_put_off" : "events_refused")
      const retry_s = isBusy ? retryOf(fault) : undefined
      reply(response, { status: fault.status, body: { code: fault.code, detail: fault.message }, retry_s })
    }
  }

  #admits({ method, socket }: IncomingMessage): void {
    const { from } = this.#options
    const address = (socket.remoteAddress ?? "").replace(/^::ffff:/, "")
    if (from !== null && !from.includes(address))
      throw new Fault("READER_ADDRESS", "events are not taken from this address")
    if (method !== "POST" && method !== "PUT") throw new Fault("METHOD", "push events with POST or PUT")
  }

  async #receive(request: IncomingMessage): Promise<number[]> {
    const { understand, health, clock } = this.#options
    const contentType = request.headers["content-type"] ?? ""
    const body = await bodyOf(request, this.#options.most_bytes)
    const received_ms = clock()
    health.count("events_received")
    health.lastReceived_ms = received_ms
    const { shots, health: told, passedOver } = await understand({ contentType, body, received_ms })
    const sequences: number[] = []
    for (const [i, shot] of shots.entries()) sequences.push(await this.#take(shot, i))
    health.count("events_passed_over", passedOver.length)
    health.count("events_of_health", told.length)
    for (const { kind, told: word } of told)
      if (kind !== "heartbeat") health.tell("reader_said", { kind, word })
    const [first] = shots
    if (first !== undefined) health.readerOffset_ms = first.capturedAt_ms - received_ms
    return sequences
  }

  async #take(shot: PushedShot, index: number): Promise<number> {
    const { intake, identify, health } = this.#options
    const { picture, event, capturedAt_ms, kind } = shot
    const identity = identify("pushed", picture, canonical(withoutArrival(event)), String(index))
    const crossing = this.#crossingOf(shot.crossing_id)
    const taken = await intake.take(identity, { picture, event, capturedAt_ms, kind, crossing })
    if (taken.kind === "not-now") {
      throw taken.why === "recipients"
        ? new Fault("RECIPIENTS_OUT", "no day's key is left to seal to; keep the event and send it again")
        : new Fault("STORE_FULL", "the spool is full; keep the event and send it again")
    }
    if (picture.length === 0) health.count("events_without_picture")
    return taken.sequence
  }

  /** The same for every picture of a crossing, in this run. */
  #crossingOf(told: string | null): string {
    const held = told === null ? undefined : this.#crossings.get(told)
    if (held !== undefined) return held
    const crossing = newId("crs")
    if (told !== null) this.#crossings.set(told, crossing)
    if (this.#crossings.size > crossingsHeld) this.#crossings.delete([...this.#crossings.keys()][0] ?? "")
    return crossing
  }
}

/** A time of arrival differs at each sending of one event, and says nothing about which it is. */
function withoutArrival(event: ReaderEvent): unknown {
  if (event.v === 1) return event
  const reads = event.reads.map(read => (read.clock === "arrival" ? { ...read, captured_at: "" } : read))
  return { ...event, reads }
}

function retryOf({ code }: Fault): number {
  if (code === "BUSY") return busy_s
  return code === "RECIPIENTS_OUT" ? recipients_s : full_s
}

/** @throws Fault TOO_LARGE as soon as it is, and INVALID where it breaks off; what follows is left unread. */
function bodyOf(request: IncomingMessage, most_bytes: number): Promise<Buffer> {
  const tooLarge = new Fault("TOO_LARGE", `an event has at most ${most_bytes} bytes`)
  if (Number(request.headers["content-length"] ?? "0") > most_bytes) return Promise.reject(tooLarge)
  const brokeOff = new Fault("INVALID", "the event broke off")
  // While it waited its turn: nothing will be heard of it any more.
  if (request.destroyed) return Promise.reject(brokeOff)
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= most_bytes) return void chunks.push(chunk)
      request.pause()
      reject(tooLarge)
    })
    request.once("end", () => resolve(Buffer.concat(chunks)))
    for (const event of ["error", "close"] as const) request.on(event, () => reject(brokeOff))
  })
}

function reply(
  response: ServerResponse,
  what: { readonly status: number; readonly body: object; readonly retry_s?: number | undefined },
): void {
  const { status, body, retry_s } = what
  response.writeHead(status, {
    "content-type": status < 400 ? "application/json" : "application/problem+json",
    ...(retry_s === undefined ? {} : { "retry-after": String(retry_s) }),
  })
  // What is left of a body that nobody reads would keep the connection; a moment is for the answer to be read.
  response.end(JSON.stringify(body), () => {
    if (!response.req.complete) setTimeout(() => response.req.destroy(), 100).unref()
  })
}
