import type { FastifyReply, FastifyRequest } from "fastify"
import * as oidc from "openid-client"
import { Type } from "typebox"
import { recordOf, type Caller } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { Fault } from "../fault.ts"
import { newId } from "../ids.ts"
import { personKey } from "../log/shapes.ts"
import type { Records } from "../log/state.ts"
import { callerOf, type Route } from "./route.ts"
import { cookies, forgotten, sealed, unsealed } from "./session.ts"
import { mustHaveWeb, subjectDigest, type Web } from "./web.ts"

const timeout_s = 10
const text = (most: number) => Type.Optional(Type.String({ maxLength: most }))

/**
 * Sign-in by the agency's identity provider (OpenID Connect, code flow with PKCE). A session reads and does nothing else, and
 * only in the browser that began it: each of its requests is signed by a key that the browser made and cannot give away, so a
 * stolen cookie opens nothing.
 */
export function signInRoutes(house: House, web: Web | null): Route[] {
  const provider = providerOf(web)
  return [
    {
      method: "POST",
      url: "/v1/sessions",
      summary: "Begin to sign in: where to go, for a browser that has made this key",
      access: "public",
      body: Type.Object({ key: personKey }, { additionalProperties: false }),
      answer: async (request, reply) => {
        const { key } = request.body as { key: string }
        return begin({ house, web: mustHaveWeb(web), provider }, key, reply)
      },
    },
    {
      method: "GET",
      url: "/v1/sessions/callback",
      summary: "Where the identity provider sends the browser back to",
      access: "public",
      query: {
        ...{ code: text(4096), state: text(512), iss: text(512), session_state: text(512) },
        ...{ error: text(256), error_description: text(2048), error_uri: text(512), scope: text(512) },
      },
      answer: async (request, reply) => finish({ house, web: mustHaveWeb(web), provider }, request, reply),
    },
    {
      method: "POST",
      url: "/v1/sessions/end",
      summary: "End this browser's session",
      access: "public",
      answer: (_, reply) => {
        void reply.header("set-cookie", forgotten(mustHaveWeb(web), cookies.session))
        return Promise.resolve({ ended: true })
      },
    },
    {
      method: "GET",
      url: "/v1/me",
      summary: "Who is asking, and with which keys he may sign",
      access: "signed",
      answer: request => whoIs(house, callerOf(request)),
    },
  ]
}

interface Parts {
  readonly house: House
  readonly web: Web
  readonly provider: () => Promise<oidc.Configuration>
}

/** Asks the provider for its own description once, at the first sign-in. */
function providerOf(web: Web | null): () => Promise<oidc.Configuration> {
  let held: Promise<oidc.Configuration> | null = null
  return () => {
    const signIn = web?.signIn ?? null
    if (signIn === null)
      throw new Fault("NOT_FOUND", "this vault has no sign-in: sign_in is not set in config.json")
    const { issuer, clientId, clientSecret } = signIn
    const isLocal = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$)/.test(issuer)
    const execute = isLocal ? [oidc.allowInsecureRequests] : []
    const authentication = clientSecret === null ? oidc.None() : oidc.ClientSecretBasic(clientSecret)
    held ??= oidc
      .discovery(new URL(issuer), clientId, clientSecret ?? undefined, authentication, {
        execute,
        timeout: timeout_s,
      })
      .catch((cause: unknown) => {
        held = null
        throw new Fault("SIGN_IN", "the identity provider does not answer", { cause })
      })
    return held
  }
}

const callback = (web: Web) => `${web.origin}/v1/sessions/callback`

async function begin(
  { house, web, provider }: Parts,
  key: string,
  reply: FastifyReply,
): Promise<{ url: string }> {
  const verifier = oidc.randomPKCECodeVerifier()
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()]
  const url = oidc.buildAuthorizationUrl(await provider(), {
    redirect_uri: callback(web),
    scope: "openid",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  })
  const value = { state, nonce, verifier, key }
  void reply.header("set-cookie", await sealed(web, cookies.signIn, { value, now_ms: house.log.clock() }))
  return { url: url.href }
}

/** Back to the page, signed in or told why not. */
async function finish(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { house, web } = parts
  const now_ms = house.log.clock()
  const header = request.headers.cookie
  const underWay = await unsealed(web, cookies.signIn, { header, now_ms })
  const gone = forgotten(web, cookies.signIn)
  const back = (fragment: string) => reply.code(303).header("location", `/desk#${fragment}`).send()
  const subject = underWay === null ? null : await subjectOf(parts, request, underWay)
  if (underWay === null || subject === null) return back("refused")
  const { person } = (await recordOf(house, "key", subject)) ?? { person: null }
  void reply.header("set-cookie", gone)
  if (person === null) return back(`unknown=${encodeURIComponent(subject)}`)
  const value = { id: newId("req"), person, key: underWay.key, subject }
  void reply.header("set-cookie", await sealed(web, cookies.session, { value, now_ms }))
  return back("")
}

async function subjectOf(
  { web, provider }: Parts,
  request: FastifyRequest,
  { state, nonce, verifier }: { readonly state: string; readonly nonce: string; readonly verifier: string },
): Promise<string | null> {
  const checks = {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  }
  const url = new URL(`${callback(web)}${request.raw.url?.slice(request.raw.url.indexOf("?")) ?? ""}`)
  try {
    const tokens = await oidc.authorizationCodeGrant(await provider(), url, checks)
    const claims = tokens.claims()
    return claims === undefined ? null : subjectDigest(web, claims.iss, claims.sub)
  } catch {
    return null
  }
}

async function whoIs(house: House, { person, session }: Caller) {
  const keys: { key: string; kind: string; credential: string | null }[] = []
  let after: { after?: string } = {}
  for (;;) {
    const rows = await house.ledger.records("key", { limit: 1000, ...after })
    for (const row of rows) {
      const held = JSON.parse(row.body) as Records["key"]
      if (held.person === person.person)
        keys.push({ key: row.id, kind: held.kind, credential: held.credential })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < 1000) break
    after = { after: last.id }
  }
  return { ...person, keys, session: session !== null }
}
