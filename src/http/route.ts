import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { Type, type TSchema } from "typebox"
import type { Caller } from "../custody/caller.ts"
import { assert, Fault } from "../fault.ts"
import { sha256Base64 } from "../log/shapes.ts"
import { assertStanding, authenticate, type Door } from "./door.ts"

/** A route as every one is declared: who may knock, what it takes, what it says. */
export interface Route {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly summary: string
  /** Signed: by a person, with an enrolled key. Public: by anyone. */
  readonly access: "signed" | "public"
  readonly body?: TSchema
  readonly query?: Record<string, TSchema>
  /** Status of a success; 200 without it. */
  readonly status?: number
  readonly bodyLimit_bytes?: number
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

const jsonLimit_bytes = 65_536

const problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    instance: Type.String(),
    not_done: Type.Optional(Type.String()),
    next: Type.Optional(Type.String()),
    entry: Type.Optional(Type.Integer()),
    request_id: Type.String(),
  },
  { description: "RFC 9457 problem document" },
)

const opening = Type.Object(
  { salt: sha256Base64, value: Type.String({ minLength: 1, maxLength: 2000 }) },
  { additionalProperties: false },
)

/** The body of a signed POST: what is stated, and the openings of its commitments, which are signed only through them. */
export function withOpenings(statement: TSchema): TSchema {
  const { properties = {}, required = [] } = statement as {
    properties?: Record<string, TSchema>
    required?: string[]
  }
  const openings = Type.Optional(Type.Record(Type.String({ pattern: "^[a-z]{1,16}$" }), opening))
  return { ...Type.Object({ ...properties, openings }, { additionalProperties: false }), required }
}

/** Adds routes to the server; authentication comes before the body's shape is judged. */
export function addRoutes(app: FastifyInstance, door: Door, routes: readonly Route[]): void {
  for (const route of routes) {
    const query =
      route.method === "GET"
        ? { querystring: Type.Object(route.query ?? {}, { additionalProperties: false }) }
        : {}
    app.route({
      method: route.method,
      url: route.url,
      bodyLimit: route.bodyLimit_bytes ?? jsonLimit_bytes,
      schema: {
        summary: route.summary,
        ...(route.access === "signed" ? { security: [{ signature: [] }] } : { security: [] }),
        ...(route.body === undefined ? {} : { body: route.body }),
        ...query,
        response: { "4xx": problem, "5xx": problem },
      },
      ...(route.access === "signed"
        ? {
            preValidation: async (request: FastifyRequest) => {
              request.caller = await authenticate(door, request)
              // What is done is judged by its own rule; what is only read is judged here.
              if (route.method === "GET") await assertStanding(door.house, request.caller)
            },
          }
        : {}),
      handler: async (request, reply) => {
        if (route.status !== undefined) void reply.code(route.status)
        return route.answer(request, reply)
      },
    })
  }
}

export function callerOf(request: FastifyRequest): Caller {
  assert(request.caller !== null, "a signed route has a caller")
  return request.caller
}

/** The key under which the same request again is no second one. @throws Fault INVALID without one. */
export function idempotencyKey(request: FastifyRequest, what: string): string {
  const header = request.headers["idempotency-key"]
  if (typeof header === "string" && /^[\x21-\x7e]{1,128}$/.test(header)) return header
  throw new Fault("INVALID", `${what} needs an Idempotency-Key of 1 to 128 visible ASCII characters`)
}

/** A parameter of the path. */
export function parameter(request: FastifyRequest, name: string): string {
  const value = (request.params as Record<string, string>)[name]
  assert(value !== undefined, "the route has the parameter")
  return value
}
