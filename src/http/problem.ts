import type { FastifyError, FastifyReply, FastifyRequest } from "fastify"
import { Fault, type FaultCode } from "../fault.ts"

/** A problem document (RFC 9457), as every door says no. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: FaultCode
  readonly detail: string
  readonly instance: string
  readonly not_done?: string
  readonly next?: string
  /** Index of the log entry that records the refusal. */
  readonly entry?: number
  readonly request_id: string
}

/** Fastify's own refusals, in our words. */
const known: Readonly<Record<string, readonly [FaultCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ["TOO_LARGE", "the body is larger than this route takes"],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["MEDIA_TYPE", "this route does not take a body of that type"],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["INVALID", "the body is empty"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["INVALID", "the body is not as long as it says"],
  FST_ERR_BAD_URL: ["INVALID", "the path is not a well-formed URL path"],
}

/** What went wrong, as a Fault. Nothing of an unexpected error goes out. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const { code, validation, statusCode } = error as Partial<FastifyError>
  if (validation !== undefined) {
    const [first] = validation
    return new Fault(
      "INVALID",
      `${first?.instancePath === "" ? "the request" : (first?.instancePath ?? "")} ${first?.message ?? "is malformed"}`,
    )
  }
  const mapped = code === undefined ? undefined : known[code]
  if (mapped !== undefined) return new Fault(...mapped)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Fault("INVALID", "the request is malformed")
  return new Fault("INTERNAL", "the vault could not answer; nothing is known to be wrong with the request", {
    cause: error,
  })
}

/** The one place where a refusal becomes an answer. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = faultOf(error)
  if (fault.code === "INTERNAL") report(error, request)
  const { notDone, next, entry } = fault.extras
  const problem: Problem = {
    type: `https://sallyport.example/problems/${fault.code.toLowerCase().replaceAll("_", "-")}`,
    title: fault.title,
    status: fault.status,
    code: fault.code,
    detail: fault.message.slice(0, 500),
    instance: request.url.slice(0, 200),
    ...(notDone === undefined ? {} : { not_done: notDone }),
    ...(next === undefined ? {} : { next }),
    ...(entry === undefined ? {} : { entry }),
    request_id: request.id,
  }
  if (fault.status === 503 || fault.status === 429) void reply.header("retry-after", "1")
  return reply.code(fault.status).type("application/problem+json").send(JSON.stringify(problem))
}

/** One line of JSON on stderr: where, and the error's own words, never a body. */
function report(error: unknown, request: FastifyRequest): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : "not an error"
  const line = {
    at: new Date().toISOString(),
    level: "error",
    request_id: request.id,
    method: request.method,
    route: request.routeOptions.url,
    stack,
  }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}
