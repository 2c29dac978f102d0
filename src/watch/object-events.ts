import { requestOfObject } from "./log-lines.ts"
import type { LoggedRequest } from "./guard.ts"

/** One event of an object store, understood; `other` is an event that reads no object. */
export type ObjectEvent =
  { readonly k: "req"; readonly request: LoggedRequest } | { readonly k: "other" } | { readonly k: "refused" }

/**
 * Reads CloudTrail's `GetObject` events as requests. There people are names; they are numbered in the order met.
 * Source: AWS CloudTrail User Guide, "CloudTrail record contents", event version 1.11.
 */
export class ObjectEvents {
  readonly people: string[] = []
  readonly organizations: string[] = []
  readonly #numbers = new Map<string, number>()

  read(event: unknown): ObjectEvent {
    if (typeof event !== "object" || event === null) return { k: "refused" }
    const fields = event as Record<string, unknown>
    if (typeof fields.eventName !== "string") return { k: "refused" }
    if (fields.eventName !== "GetObject") return { k: "other" }
    const identity = object(fields.userIdentity)
    const parameters = object(fields.requestParameters)
    const at_ms = typeof fields.eventTime === "string" ? Date.parse(fields.eventTime) : NaN
    const [bucket, key] = [text(parameters.bucketName), text(parameters.key)]
    const who = text(identity.arn) || text(identity.principalId) || text(identity.accountId)
    if (!Number.isFinite(at_ms) || bucket === "" || key === "" || who === "") return { k: "refused" }
    const request = requestOfObject({
      at_ms,
      principal: this.#number("person", who, this.people),
      organization: this.#number("account", text(identity.accountId) || who, this.organizations),
      key: `${bucket}/${key}`,
      network: text(fields.sourceIPAddress),
      device: text(fields.userAgent),
    })
    // What the store refused left nothing behind, and tells as much about who asked.
    return { k: "req", request: text(fields.errorCode) === "" ? request : { ...request, exists: false } }
  }

  #number(kind: string, name: string, names: string[]): number {
    const key = `${kind} ${name}`
    const held = this.#numbers.get(key)
    if (held !== undefined) return held
    this.#numbers.set(key, names.length)
    return names.push(name) - 1
  }
}

const text = (value: unknown) => (typeof value === "string" ? value : "")
const object = (value: unknown) =>
  (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>
