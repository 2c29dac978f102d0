import { EncryptJWT, jwtDecrypt } from "jose"
import { Type, type Static, type TObject } from "typebox"
import { Value } from "typebox/value"
import { personKey } from "../log/shapes.ts"
import { cookieOf, setCookie, type Web } from "./web.ts"

/** A person whom the identity provider signed in, in one browser. */
const session = Type.Object({
  id: Type.String(),
  person: Type.String(),
  /** Base64 P-256 key that this browser made and cannot give away: each request is signed with it. */
  key: personKey,
  /** The digest of the sign-in; a session ends when it is no longer this person's. */
  subject: Type.String(),
})

/** A sign-in under way, between here and the identity provider. */
const signIn = Type.Object({
  state: Type.String(),
  nonce: Type.String(),
  verifier: Type.String(),
  key: personKey,
})

/** A passkey being made. */
const registration = Type.Object({ challenge: Type.String() })

export type Session = Static<typeof session>
export type SignInUnderWay = Static<typeof signIn>

interface Cookie<T extends TObject> {
  readonly name: string
  readonly shape: T
  readonly life_s: number
  readonly sameSite: "Strict" | "Lax"
}

/** Every cookie there is. They are sealed (JWE, A256GCM), each under its own name. */
export const cookies = {
  session: { name: "sallyport-session", shape: session, life_s: 8 * 3600, sameSite: "Strict" },
  // Lax: the browser comes back from the identity provider's site with it.
  signIn: { name: "sallyport-sign-in", shape: signIn, life_s: 600, sameSite: "Lax" },
  registration: { name: "sallyport-passkey", shape: registration, life_s: 300, sameSite: "Strict" },
} as const satisfies Record<string, Cookie<TObject>>

/** `Set-Cookie` with what it holds sealed inside. */
export async function sealed<T extends TObject>(
  web: Web,
  cookie: Cookie<T>,
  of: { readonly value: Static<T>; readonly now_ms: number },
): Promise<string> {
  const now_s = Math.floor(of.now_ms / 1000)
  const value = await new EncryptJWT(of.value as Record<string, unknown>)
    .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
    .setAudience(cookie.name)
    .setIssuer(web.origin)
    .setExpirationTime(now_s + cookie.life_s)
    .encrypt(web.cookieKey)
  return setCookie(web, { ...cookie, value })
}

/** What such a cookie holds, or `null` for none, one that ended, and one that this vault did not seal. */
export async function unsealed<T extends TObject>(
  web: Web,
  cookie: Cookie<T>,
  of: { readonly header: string | undefined; readonly now_ms: number },
): Promise<Static<T> | null> {
  const value = cookieOf(of.header, cookie.name)
  if (value === null) return null
  const options = {
    audience: cookie.name,
    issuer: web.origin,
    currentDate: new Date(of.now_ms),
    contentEncryptionAlgorithms: ["A256GCM"],
    keyManagementAlgorithms: ["dir"],
  }
  const opened = await jwtDecrypt(value, web.cookieKey, options).catch(() => null)
  return opened !== null && Value.Check(cookie.shape, opened.payload) ? (opened.payload as Static<T>) : null
}

/** `Set-Cookie` that takes a cookie away. */
export function forgotten(web: Web, { name, sameSite }: Pick<Cookie<TObject>, "name" | "sameSite">): string {
  return setCookie(web, { name, value: "", life_s: 0, sameSite })
}
