import { createHash, createHmac } from "node:crypto"
import { Fault } from "../fault.ts"

/** What browsers need of this vault: where it is, the keys of its cookies, and the agency's identity provider. */
export interface Web {
  /** Scheme, host and port, such as `https://vault.example`. */
  readonly origin: string
  /** 32 bytes: seals sessions and sign-ins under way. */
  readonly cookieKey: Uint8Array
  /** 32 bytes: turns an identity provider's subject into a digest that tells nobody who it is. */
  readonly subjectKey: Uint8Array
  readonly signIn: {
    readonly issuer: string
    readonly clientId: string
    readonly clientSecret: string | null
  } | null
}

/** The relying party of passkeys: the host of the vault's page. */
export function relyingParty({ origin }: Pick<Web, "origin">): {
  readonly id: string
  readonly idHash: Buffer
} {
  const id = new URL(origin).hostname
  return { id, idHash: createHash("sha256").update(id).digest() }
}

/** A person's sign-in as the log knows it: base64, 32 bytes. Only this vault can tell whose it is. */
export function subjectDigest({ subjectKey }: Web, issuer: string, subject: string): string {
  return createHmac("sha256", subjectKey).update(`${issuer}\n${subject}`).digest("base64")
}

/** @throws Fault NOT_FOUND where the configuration names no page. */
export function mustHaveWeb(web: Web | null): Web {
  if (web !== null) return web
  throw new Fault("NOT_FOUND", "this vault has no page: web_origin is not set in config.json")
}

/** The value of one cookie, or `null`. */
export function cookieOf(header: string | undefined, name: string): string | null {
  const pairs = (header ?? "").slice(0, 16_384).split("; ")
  return pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? null
}

/** `Set-Cookie` for this vault alone, out of reach of scripts. */
export function setCookie(
  web: Web,
  cookie: {
    readonly name: string
    readonly value: string
    readonly life_s: number
    readonly sameSite: "Strict" | "Lax"
  },
): string {
  const secure = web.origin.startsWith("https:") ? "; Secure" : ""
  return `${cookie.name}=${cookie.value}; Path=/; HttpOnly; SameSite=${cookie.sameSite}; Max-Age=${cookie.life_s}${secure}`
}
