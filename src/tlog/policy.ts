import type { VerifyEd25519 } from "../ed25519.ts"
import { parseCheckpoint, type Checkpoint } from "./checkpoint.ts"
import { noteVerifier, openNote, parseVkey, type NoteVerifier } from "./note.ts"

/** Who must have signed a checkpoint. Source: c2sp.org/tlog-policy. */
export interface Policy {
  readonly logs: readonly { readonly vkey: string; readonly url: string | null }[]
  readonly witnesses: readonly { readonly name: string; readonly vkey: string; readonly url: string | null }[]
  readonly groups: readonly {
    readonly name: string
    readonly needed: number
    readonly members: readonly string[]
  }[]
  /** The name of a witness or group, or `none`. */
  readonly quorum: string
}

export type ParsedPolicy =
  { readonly kind: "ok"; readonly policy: Policy } | { readonly kind: "refuse"; readonly why: string }

export type Judgement =
  | {
      readonly kind: "ok"
      readonly checkpoint: Checkpoint
      readonly log: string
      readonly witnesses: readonly { readonly name: string; readonly time_s: number }[]
    }
  | { readonly kind: "refuse"; readonly reason: "malformed" | "signature" | "origin" | "quorum" }

const maxLines = 1000

/** The policy of this text, or why it is none: one `quorum`, names that are defined above, no name or key twice. */
export function parsePolicy(text: string): ParsedPolicy {
  const draft = {
    logs: [] as Policy["logs"][number][],
    witnesses: [] as Policy["witnesses"][number][],
    groups: [] as Policy["groups"][number][],
  }
  let quorum: string | null = null
  const [names, keys] = [new Set<string>(), new Set<string>()]
  const lines = text.split("\n").map(line => line.replace(/^[ \t]+|[ \t]+$/g, ""))
  if (lines.length > maxLines) return refuse("it has over 1,000 lines")
  const odd = lines.findIndex(line => /[\u0000-\u0008\u000b-\u001f\u007f]/.test(line))
  if (odd >= 0) return refuse(`line ${odd + 1}: it has a control character`)
  for (const [i, line] of lines.entries()) {
    if (line === "" || line.startsWith("#")) continue
    const [word = "", ...rest] = line.split(/[ \t]+/)
    const why = takeLine({ word, rest, draft, names, keys, hasQuorum: quorum !== null })
    if (why !== null) return refuse(`line ${i + 1}: ${why}`)
    if (word === "quorum") quorum = rest[0] ?? null
  }
  if (quorum === null) return refuse("it names no quorum")
  return draft.logs.length === 0 ? refuse("it names no log") : { kind: "ok", policy: { ...draft, quorum } }
}

interface Line {
  readonly word: string
  readonly rest: readonly string[]
  readonly draft: {
    logs: Policy["logs"][number][]
    witnesses: Policy["witnesses"][number][]
    groups: Policy["groups"][number][]
  }
  readonly names: Set<string>
  readonly keys: Set<string>
  readonly hasQuorum: boolean
}

/** Takes one line into the draft; says what is wrong with it, or `null`. */
function takeLine({ word, rest, draft, names, keys, hasQuorum }: Line): string | null {
  const [first = "", second = "", third] = rest
  switch (word) {
    case "log":
      if (rest.length < 1 || rest.length > 2 || !isNewKey(first, keys))
        return "a log needs one new verification key and at most a URL"
      draft.logs.push({ vkey: first, url: rest[1] ?? null })
      return null
    case "witness":
      if (rest.length < 2 || rest.length > 3 || !isNewName(first, names))
        return "a witness needs a new name and a verification key"
      if (!isNewKey(second, keys)) return "the witness's key is malformed or named twice"
      draft.witnesses.push({ name: first, vkey: second, url: third ?? null })
      return null
    case "group": {
      const members = rest.slice(2)
      if (
        members.length === 0 ||
        members.some((name, i) => !names.has(name) || members.indexOf(name) !== i)
      ) {
        return "a group's members are named above it, once each"
      }
      if (members.some(name => draft.groups.some(group => group.members.includes(name))))
        return "a name is a member of one group only"
      const needed = second === "all" ? members.length : second === "any" ? 1 : Number(second)
      if (!Number.isInteger(needed) || needed < 1 || needed > members.length)
        return "a group needs any, all or a number of its members"
      if (!isNewName(first, names)) return "the group's name is taken"
      draft.groups.push({ name: first, needed, members })
      return null
    }
    case "quorum":
      return rest.length === 1 && !hasQuorum && (first === "none" || names.has(first))
        ? null
        : "one quorum, of a name above it or none"
    default:
      return "not a line of a policy"
  }
}

function refuse(why: string): ParsedPolicy {
  return { kind: "refuse", why }
}

function isNewName(name: string, names: Set<string>): boolean {
  if (name === "none" || name === "" || names.has(name)) return false
  names.add(name)
  return true
}

function isNewKey(vkey: string, keys: Set<string>): boolean {
  if (parseVkey(vkey) === null || keys.has(vkey)) return false
  keys.add(vkey)
  return true
}

/** The text of a policy; `parsePolicy` reads it back. */
export function formatPolicy({ logs, witnesses, groups, quorum }: Policy): string {
  const lines = [
    ...logs.map(({ vkey, url }) => ["log", vkey, url ?? ""]),
    ...witnesses.map(({ name, vkey, url }) => ["witness", name, vkey, url ?? ""]),
    ...groups.map(({ name, needed, members }) => ["group", name, String(needed), ...members]),
    ["quorum", quorum],
  ]
  return lines.map(words => `${words.join(" ").trim()}\n`).join("")
}

/** Whether a signed checkpoint has the signatures that the policy asks for: a log's, whose name is the origin, and the quorum's. */
export function judge(policy: Policy, note: string, verifyEd25519: VerifyEd25519): Judgement {
  const verifierOf = (vkey: string) => noteVerifier(vkey, verifyEd25519)
  const logs = policy.logs.map(({ vkey }) => verifierOf(vkey)).filter(isThere)
  const witnesses = policy.witnesses.flatMap(({ name, vkey }) => {
    const verifier = verifierOf(vkey)
    return verifier === null ? [] : [{ name, verifier }]
  })
  const opened = openNote(note, [...logs, ...witnesses.map(({ verifier }) => verifier)])
  if (opened.kind === "refuse")
    return {
      kind: "refuse",
      reason: opened.reason === "malformed" || opened.reason === "duplicate" ? "malformed" : "signature",
    }
  const checkpoint = parseCheckpoint(opened.text)
  if (checkpoint === null) return { kind: "refuse", reason: "malformed" }
  const by = (verifier: NoteVerifier) =>
    opened.verified.find(each => each.name === verifier.name && each.keyId === verifier.keyId)
  const log = logs.find(verifier => by(verifier) !== undefined)
  if (log === undefined) return { kind: "refuse", reason: "signature" }
  if (log.name !== checkpoint.origin) return { kind: "refuse", reason: "origin" }
  const found = witnesses.flatMap(({ name, verifier }) => {
    const signature = by(verifier)
    return signature === undefined ? [] : [{ name, time_s: signature.time_s ?? 0 }]
  })
  const there = new Set(found.map(({ name }) => name))
  for (const { name, needed, members } of policy.groups) {
    if (members.filter(member => there.has(member)).length >= needed) there.add(name)
  }
  const isMet = policy.quorum === "none" || there.has(policy.quorum)
  return isMet
    ? { kind: "ok", checkpoint, log: log.name, witnesses: found }
    : { kind: "refuse", reason: "quorum" }
}

function isThere<T>(value: T | null): value is T {
  return value !== null
}
