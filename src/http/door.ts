import type { FastifyInstance, FastifyRequest } from "fastify"
import { textOf } from "../bytes.ts"
import { chainKeys, recordOf, type Caller } from "../custody/caller.ts"
import type { Floods } from "../custody/floods.ts"
import type { House } from "../custody/house.ts"
import { refuse } from "../custody/propose.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault, type FaultCode } from "../fault.ts"
import { may, type Act } from "../grant/office.ts"
import { hasItsAssertion, isSigned, type Opening, type Statement } from "../grant/request.ts"
import { statementHeader, vaultHeader } from "../grant/request-headers.ts"
import { assertOwnPage } from "./passkeys.ts"
import { cookies, unsealed, type Session } from "./session.ts"
import { readSignature } from "./signature.ts"
import type { Web } from "./web.ts"
import { statementDigest } from "../grant/request.ts"

declare module "fastify" {
  interface FastifyRequest {
    /** The body's bytes as they came, for its digest. */
    rawBody: Buffer | null
    caller: Caller | null
  }
}

/** What authentication needs. */
export interface Door {
  readonly house: House
  readonly floods: Floods
  /** `null` for a vault without a page. */
  readonly web: Web | null
}

const life_s = 300
const noncesLive_ms = 10 * 60_000

/** Keeps the bytes of JSON bodies, and takes nothing that is not UTF-8. */
export function readBodies(app: FastifyInstance): void {
  app.decorateRequest("rawBody", null)
  app.decorateRequest("caller", null)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    request.rawBody = body as Buffer
    const text = textOf(body as Buffer)
    try {
      if (text === null) throw new Fault("INVALID", "the body is not UTF-8")
      done(null, JSON.parse(text))
    } catch (error) {
      done(error instanceof Fault ? error : new Fault("INVALID", "the body is not JSON"), undefined)
    }
  })
}

/**
 * Who is asking: the person whose enrolled key signed this request for this vault, now and not before.
 * @throws Fault; nothing is logged before the signature holds.
 */
export async function authenticate(door: Door, request: FastifyRequest, isPaced = true): Promise<Caller> {
  const of = { header: request.headers.cookie, now_ms: door.house.log.clock() }
  const session = door.web === null ? null : await unsealed(door.web, cookies.session, of)
  try {
    return await knownCaller(door, request, { session, isPaced })
  } catch (error) {
    const isStolen = error instanceof Fault && withoutKey.has(error.code)
    if (session === null || !isStolen) throw error
    throw await toldStolen(door.house, session)
  }
}

/** What a request is refused with that has a session's cookie and not its key. */
const withoutKey = new Set<FaultCode>(["SIGNATURE_MISSING", "SIGNATURE_INVALID", "KEY_UNKNOWN"])

/** A cookie in another browser opens nothing; that somebody tried is told once for each session. */
async function toldStolen(house: House, { id, person }: Session): Promise<Fault> {
  const now_ms = house.log.clock()
  const told = { of: "read", code: "SESSION_BOUND", person } as const
  const detail = "this session was begun in another browser, which alone can sign for it"
  const isFirst = await house.ledger.useNonce(`told/${id}`, now_ms + cookies.session.life_s * 1000, now_ms)
  if (!isFirst) return new Fault("SESSION_BOUND", detail)
  return refuse(house, told, detail).catch((fault: unknown) => fault as Fault)
}

async function knownCaller(
  { house, floods, web }: Door,
  request: FastifyRequest,
  { session, isPaced }: { readonly session: Session | null; readonly isPaced: boolean },
): Promise<Caller> {
  const body = request.rawBody ?? Buffer.alloc(0)
  const asked = readSignature({
    method: request.method,
    url: request.raw.url ?? "",
    headers: request.headers,
    body,
  })
  if (request.headers[vaultHeader] !== house.log.origin)
    throw new Fault("SIGNATURE_INVALID", `this is the vault ${house.log.origin}`)
  const { statement, openings } = statementOf(request.body)
  const isStated = statement === null || request.headers[statementHeader] === statementDigest(statement)
  if (!isStated || !isSigned(asked, house.log.origin, { statement, verify: verifyEd25519 })) {
    throw new Fault("SIGNATURE_INVALID", "the signature does not hold for this request")
  }
  assertOwnPage(asked, web)
  const now_ms = house.log.clock()
  if (Math.abs(now_ms - asked.created * 1000) > life_s * 1000) {
    throw new Fault(
      "SIGNATURE_STALE",
      `requests are taken within ${life_s} s of their signature; check the clock`,
    )
  }
  const isSession = session !== null && session.key === asked.key
  if (isSession && request.method !== "GET")
    throw new Fault("SESSION_READS", "a session only reads", { notDone: "Nothing was done." })
  if (!isSession && !hasItsAssertion(asked))
    throw new Fault("SIGNATURE_INVALID", "this key is a passkey's: it signs with its owner's assertion")
  const person = isSession ? await personIn(house, session) : await personOf(house, asked.key)
  const stated = { statement: statement ?? {}, openings }
  const caller = { person, asked, ...stated, address: request.ip, session: isSession ? session.id : null }
  await floods.pass(caller, isPaced)
  if (!(await house.ledger.useNonce(asked.nonce, asked.created * 1000 + noncesLive_ms, now_ms))) {
    throw new Fault("REPLAY", "this signed request was used before; sign a new one")
  }
  return caller
}

/** Nobody reads who is suspended, or whose organization, or one above it, is. @throws Fault, logged. */
export async function assertStanding(house: House, { person, asked }: Caller): Promise<void> {
  const chain = await chainKeys(house, person.organization)
  const above = await Promise.all(chain.map(({ id }) => recordOf(house, "organization", id)))
  const isSuspended = above.some(organization => organization?.suspended === true)
  if (!person.suspended && !isSuspended) return
  const code = person.suspended ? "PERSON_SUSPENDED" : "GRANT_ORGANIZATION"
  const detail = person.suspended
    ? "the person is suspended"
    : "the organization, or one above it, is suspended"
  await refuse(house, { of: "read", code, person: person.person, asked }, detail)
}

/** Lets a reading through, or logs its refusal. */
export async function allow(house: House, caller: Caller, act: Act): Promise<void> {
  const { person, asked } = caller
  await assertStanding(house, caller)
  if (!may(person.office, act)) {
    await refuse(
      house,
      { of: "read", code: "OFFICE", person: person.person, asked },
      `the office ${person.office} may not ${act}`,
    )
  }
}

/** A session lasts as long as its sign-in is this person's. */
async function personIn(house: House, session: Session): Promise<Caller["person"]> {
  const subject = await recordOf(house, "key", session.subject)
  const person = subject?.person === session.person ? await recordOf(house, "person", session.person) : null
  if (person === null) throw new Fault("SIGN_IN", "this sign-in is nobody's any more; sign in again")
  return person
}

async function personOf(house: House, key: string): Promise<Caller["person"]> {
  const holder = await recordOf(house, "key", key)
  const person =
    holder?.person == null || holder.kind === "subject"
      ? null
      : await recordOf(house, "person", holder.person)
  if (person === null) throw new Fault("KEY_UNKNOWN", "no person with this key is enrolled")
  return person
}

/** A body without its openings is what was signed and what the log keeps. */
function statementOf(body: unknown): {
  readonly statement: Statement | null
  readonly openings: Readonly<Record<string, Opening>>
} {
  if (body === undefined || body === null) return { statement: null, openings: {} }
  if (typeof body !== "object" || Array.isArray(body))
    throw new Fault("INVALID", "the body is not a JSON object")
  const { openings, ...statement } = body as { openings?: Readonly<Record<string, Opening>> }
  return { statement, openings: openings ?? {} }
}
