import swagger from "@fastify/swagger"
import fastify, { type FastifyInstance } from "fastify"
import { Floods } from "../custody/floods.ts"
import type { House } from "../custody/house.ts"
import { Fault } from "../fault.ts"
import { newId } from "../ids.ts"
import type { Rate } from "../rate.ts"
import type { Problem } from "../log/replay.ts"
import { accountingRoutes } from "./accounting.ts"
import { alertRoutes } from "./alerts.ts"
import { incidentRoutes } from "./incidents.ts"
import { linkageRoutes } from "./linkages.ts"
import { readFound, traceRoutes } from "./traces.ts"
import { canaryRoutes } from "./canaries.ts"
import { captureRoutes, captureType } from "./captures.ts"
import { deskRoutes } from "./desk.ts"
import { destinationRoutes } from "./destinations.ts"
import { streamRoutes } from "./stream.ts"
import type { Metrics } from "./metrics.ts"
import { readBodies, type Door } from "./door.ts"
import { grantRoutes } from "./grants.ts"
import { laneRoutes, readReports } from "./lanes.ts"
import { logRoutes } from "./log.ts"
import { motionRoutes } from "./motions.ts"
import { noticeRoutes } from "./notices.ts"
import { noticeCodeRoutes } from "./notice-codes.ts"
import { pageRoutes } from "./page.ts"
import { passkeyRoutes } from "./passkeys.ts"
import { sendProblem } from "./problem.ts"
import { registryRoutes } from "./registry.ts"
import { addRoutes, type Route } from "./route.ts"
import { signInRoutes } from "./sign-in.ts"
import { statementRoutes } from "./statements.ts"
import { Turnstile } from "../turnstile.ts"
import { watchRuleRoutes } from "./watch-rules.ts"
import { watchRoutes } from "./watch.ts"
import type { Web } from "./web.ts"

/** What the check at the start found: nothing leaves while ledger and log differ. */
export interface Standing {
  readonly differences: readonly Problem[]
}

export interface ServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly openBundles: boolean
  readonly standing: Standing
  readonly version: string
  /** What browsers need; without it there is no desk, no passkey and no sign-in. */
  readonly web?: Web | null
  /** Proxies whose word of where a request came from is believed. Default none. */
  readonly trustedProxies?: readonly string[]
  /** How fast one person may ask. Without it 50 a second, 500 at once. */
  readonly rate?: Rate
  /** A reader that was not heard of for so long is silent. Without it 15 minutes. */
  readonly silentAfter_ms?: number
  /** So long a connection that neither asks nor reads may hold up a server that closes. Without it 10 seconds. */
  readonly drain_ms?: number
  /** Counts who listens to the stream of alerts. */
  readonly metrics?: Metrics
}

export interface Server {
  readonly url: string
  close(): Promise<void>
}

const usualRate: Rate = { perSecond: 50, burst: 500 }

const loopback = ["127.0.0.1", "::1", "localhost"]

/** Every route there is. */
export function routesOf(
  door: Door,
  options: Pick<ServerOptions, "openBundles" | "standing" | "silentAfter_ms" | "metrics" | "rate">,
): Route[] {
  const { house, web } = door
  const { openBundles, standing, silentAfter_ms = 900_000 } = options
  const stopIfDiffering = () => {
    if (standing.differences.length === 0) return
    const [first] = standing.differences
    throw new Fault(
      "LEDGER_DIFFERS",
      `the ledger differs from the log (${first?.at ?? ""}); run sallyport log fsck`,
      { notDone: "Nothing was released." },
    )
  }
  const turnstile = new Turnstile({ inside: 16, waiting: 256 })
  return [
    ...registryRoutes(house),
    ...laneRoutes(house, silentAfter_ms),
    ...captureRoutes(house),
    ...accountingRoutes(house),
    ...alertRoutes(house),
    ...streamRoutes(house, options.metrics),
    ...destinationRoutes(house),
    ...traceRoutes(house),
    ...incidentRoutes(house, options.metrics),
    ...linkageRoutes(house),
    ...motionRoutes(house),
    ...watchRoutes(house),
    ...canaryRoutes(house),
    ...watchRuleRoutes(house, { silentAfter_ms, perSecond: (options.rate ?? usualRate).perSecond }),
    ...noticeRoutes(house),
    ...signInRoutes(house, web),
    ...passkeyRoutes(house, web),
    ...deskRoutes(house, web),
    ...grantRoutes(house, { turnstile, stopIfDiffering }),
    ...logRoutes(door, { openBundles, standing }),
    ...noticeCodeRoutes(house),
    ...statementRoutes(house),
    ...pageRoutes(house),
  ]
}

/** The server without its socket, for tests and for `openServer`. */
export async function buildServer(house: House, options: ServerOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
    genReqId: () => newId("req"),
    requestTimeout: 60_000,
    connectionTimeout: 120_000,
    keepAliveTimeout: 20_000,
    routerOptions: { maxParamLength: 200 },
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: false },
    },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  })
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply))
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new Fault("NOT_FOUND", "there is no such resource"), request, reply),
  )
  readBodies(app)
  app.addContentTypeParser(captureType, { parseAs: "buffer" }, (_, body, done) => done(null, body))
  readReports(app)
  readFound(app)
  await app.register(swagger, { openapi: document(options.version) })
  const floods = new Floods(house, options.rate ?? usualRate)
  app.addHook("onClose", () => floods.close())
  const door = { house, floods, web: options.web ?? null }
  addRoutes(app, door, routesOf(door, options))
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger())
  await app.ready()
  return app
}

/**
 * Listens. Without TLS, which this version does not speak, only on loopback: put a TLS proxy in front for more.
 * @throws Fault PLAIN_HTTP for any other address.
 */
export async function openServer(house: House, options: ServerOptions): Promise<Server> {
  if (!loopback.includes(options.host)) {
    throw new Fault("PLAIN_HTTP", `without TLS the server listens on loopback only, not on ${options.host}`, {
      next: "--listen 127.0.0.1:7300 behind a TLS proxy",
    })
  }
  const app = await buildServer(house, options)
  const url = await app.listen({ host: options.host, port: options.port })
  return { url, close: () => drained(app, options.drain_ms ?? 10_000) }
}

/** Answers what was asked; then, or when the time is over, ends every connection. */
async function drained(app: FastifyInstance, drain_ms: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), drain_ms)
  await app.close().finally(() => clearTimeout(timer))
}

function document(version: string) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Sallyport",
      version,
      description: "Custody of plate and face images: sealed at the lane, out only through a witnessed log.",
    },
    components: {
      securitySchemes: {
        signature: {
          type: "http" as const,
          scheme: "signature",
          description:
            "RFC 9421 HTTP message signature with an enrolled Ed25519 key; see docs/formats/request.md",
        },
      },
    },
  }
}
