import { lookup } from "node:dns/promises"
import type { Signer } from "../ed25519.ts"

/** Where mail is handed over. */
export interface Smtp {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte; `starttls`: or nothing is sent; `offered`: where the server offers it. */
  readonly tls: "implicit" | "starttls" | "offered"
  readonly from: string
  readonly user: string | null
  readonly password: string | null
}

/** How this vault sends, apart from what two people said of a destination. Secrets come from files. */
export interface OutboxSettings {
  readonly origin: string
  readonly version: string
  readonly smtp: Smtp | null
  /** By a destination's name: the networks that are not the public internet, which it may be in. */
  readonly networks: Readonly<Record<string, readonly string[]>>
  /** By a destination's name: what an HTTP receiver wants as a bearer token. */
  readonly tokens: Readonly<Record<string, string>>
  /** Certificates (PEM) of an authority of the agency's own, or `null` for those that Node knows. */
  readonly ca: string | null
  /** Where files are written. */
  readonly folder: string
  /** The key that a destination's webhooks are signed with; another for each. */
  readonly signerFor: (destination: string) => Signer
  /** Longest time for one attempt, all its phases together. */
  readonly timeout_ms: number
  readonly retryFirst_ms: number
  readonly retryMost_ms: number
  /** All addresses of a host. */
  readonly lookup: (host: string) => Promise<readonly string[]>
  readonly clock: () => number
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

/** All addresses that the machine's resolver has for a host. */
export async function everyAddress(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}
