import { recordOf } from "../../src/custody/caller.ts"
import { editGrant } from "../../src/custody/grants.ts"
import type { House } from "../../src/custody/house.ts"
import { orderStop, proposeMotion, reviewGlass, secondMotion } from "../../src/custody/motions.ts"
import { permit } from "../../src/custody/opening.ts"
import { sealedOpening } from "../../src/custody/propose.ts"
import { suspend } from "../../src/custody/register.ts"
import { answerWatch } from "../../src/custody/watching.ts"
import { motionPaths } from "../../src/log/authentic.ts"
import { decideGrant, requestGrant, revokeGrant } from "../../src/custody/grants.ts"
import { Fault } from "../../src/fault.ts"
import type { Statement } from "../../src/grant/request.ts"
import type { Terms } from "../../src/grant/terms.ts"
import { assert } from "../../src/fault.ts"
import { callerOf, termsOf, type Actor, type Role, type TestPort } from "../port.ts"

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A port as one process knows it: its own house, and everybody's keys. */
export type SteppedPort = Pick<TestPort, "house" | "people" | "contract" | "lane" | "clock"> & {
  readonly reader: Pick<TestPort["reader"], "port">
}

export interface Stepping {
  readonly port: SteppedPort
  readonly captures: readonly string[]
  readonly dates: Terms["dates"]
  readonly chance: () => number
  /** Grants so far; the newest are asked most. */
  readonly grants: string[]
  readonly tally: Map<string, number>
  /** Tells the other processes of a grant that was asked for. */
  readonly share: (grant: string) => void
  /** Sets the clock of every process ahead. */
  readonly jump: (by_ms: number) => void
}

const holders: readonly Role[] = ["engineer", "colleague", "prime"]
const approvers: readonly Role[] = ["cor", "privacy", "custodian"]

/** One step of whoever works with the vault, drawn at random; what is refused is counted by its code. */
export async function step(s: Stepping): Promise<void> {
  const roll = s.chance()
  const { house } = s.port
  const work =
    roll < 0.45
      ? ask(s, house)
      : roll < 0.53
        ? settle(s, house)
        : roll < 0.55
          ? breakGlass(s, house)
          : roll < 0.6
            ? request(s, house)
            : roll < 0.8
              ? approve(s, house)
              : roll < 0.85
                ? edit(s, house)
                : roll < 0.87
                  ? revoke(s, house)
                  : roll < 0.9
                    ? suspendOne(s, house)
                    : roll < 0.985
                      ? stopOrResume(s, house)
                      : roll < 0.99
                        ? jump(s)
                        : anotherPolicy(s, house)
  try {
    await work
    count(s, "done")
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "INTERNAL") throw error
    count(s, error.code)
  }
}

function pick<T>({ chance }: Stepping, items: readonly T[]): T {
  return items[Math.floor(chance() * items.length)]!
}

function count({ tally }: Stepping, code: string): void {
  tally.set(code, (tally.get(code) ?? 0) + 1)
}

function caller(s: Stepping, house: House, of: { role: Role; path: string; statement: Statement }) {
  const actor: Actor = s.port.people[of.role]
  return callerOf(house, actor, { path: of.path, statement: of.statement })
}

function recent(s: Stepping): string | null {
  return s.grants.length === 0 ? null : pick(s, s.grants.slice(-4))
}

async function ask(s: Stepping, house: House): Promise<void> {
  const grant = recent(s)
  if (grant === null) return
  if (grant.startsWith("cas_")) return look(s, house, grant)
  const held = await recordOf(house, "grant", grant)
  const holder = holders.find(role => s.port.people[role].person === held?.terms.holder)
  const role = s.chance() < 0.9 ? (holder ?? "engineer") : pick(s, holders)
  const statement = {
    grant,
    capture: pick(s, s.captures),
    level: s.chance() < 0.9 ? (held?.terms.level ?? "L2") : "L3",
  }
  const asked = await caller(s, house, { role, path: "/v1/releases", statement })
  await permit(house, asked, "release")
  // A client that lost the answer asks again.
  if (s.chance() < 0.1)
    await permit(house, await caller(s, house, { role, path: "/v1/releases", statement }), "release")
}

async function request(s: Stepping, house: House): Promise<void> {
  const role = pick(s, holders)
  const images = 1 + Math.floor(s.chance() * 8)
  const [level, isWide] = [s.chance() < 0.5 ? "L1" : "L2", s.chance() < 0.5] as const
  const now_ms = house.log.clock()
  const statement = {
    ...termsOf(s.port, {
      holder: s.port.people[role].person,
      dates: s.dates,
      images,
      releases: images + Math.floor(s.chance() * 2 * images),
      people: s.chance() < 0.6 ? null : Math.floor(s.chance() * 12),
      level,
      ...(level === "L2" && isWide ? { region: "wide" } : {}),
      selection: s.chance() < 0.5 ? "frozen" : "open",
      captures: s.chance() < 0.8 || images > s.captures.length ? null : [...s.captures].sort(),
      ends_at: new Date(now_ms + (1 + Math.floor(s.chance() * 48)) * 3_600_000).toISOString(),
    }),
  }
  const asked = await caller(s, house, { role, path: "/v1/grants", statement })
  s.share((await requestGrant(house, asked)).grant)
}

async function look(s: Stepping, house: House, grant: string): Promise<void> {
  const role = s.chance() < 0.9 ? "analyst" : "privacy"
  const statement = { grant, capture: pick(s, s.captures), level: "L2" }
  const names = { reason: "a reason of more than fifteen characters" }
  const asked = await callerOf(house, s.port.people[role], { path: "/v1/reveals", statement, names })
  const opening = sealedOpening(house, { field: "reason", ...asked.openings.reason! })
  await permit(house, asked, "reveal", [opening])
}

/** Two keys; at times the same one twice, or none beside the first. */
async function breakGlass(s: Stepping, house: House): Promise<void> {
  const overdue = (await recordOf(house, "glass", "glass"))?.open ?? []
  for (const { grant } of overdue.slice(0, 4)) await review(s, house, grant)
  const ends_at = new Date(house.log.clock() + Math.floor(1 + s.chance() * 5) * 3_600_000).toISOString()
  const images = 1 + Math.floor(s.chance() * 12)
  const cased = {
    for: "reveal",
    purpose: "incident",
    contract: null,
    holder: s.port.people.analyst.person,
  } as const
  const terms = termsOf(s.port, { ...cased, dates: s.dates, images, releases: 2 * images, ends_at })
  const names = { reason: "a reason of more than fifteen characters" }
  const ask = { path: "/v1/break-glass", statement: { terms }, names }
  const asked = await callerOf(house, s.port.people.analyst, ask)
  const { id, motion } = await proposeMotion(house, asked, "break-glass")
  assert(motion !== undefined, "a break-glass is a motion")
  s.share(id)
  if (s.chance() < 0.8) await carry(s, house, motion)
}

async function review(s: Stepping, house: House, grant: string): Promise<void> {
  const ask = {
    path: `/v1/grants/${grant}/review`,
    statement: { outcome: "justified" },
    names: { note: "a note of more than fifteen characters" },
  }
  const asked = await callerOf(house, s.port.people.cor, ask)
  await reviewGlass(house, asked, grant).catch((error: unknown) => {
    // It may not be over yet, or another process was first.
    if (!(error instanceof Fault) || error.code !== "CONFLICT") throw error
  })
}

async function approve(s: Stepping, house: House): Promise<void> {
  const grant = recent(s)
  const held = grant === null ? null : await recordOf(house, "grant", grant)
  if (grant === null || held === null) return
  const version = s.chance() < 0.95 ? held.version : Math.max(1, held.version - 1)
  const decision = s.chance() < 0.97 ? "approve" : "deny"
  const statement = { version, terms_sha256: held.terms_sha256, decision }
  const path = `/v1/grants/${grant}/approvals`
  await decideGrant(house, await caller(s, house, { role: pick(s, approvers), path, statement }), grant)
}

async function edit(s: Stepping, house: House): Promise<void> {
  const grant = recent(s)
  const held = grant === null ? null : await recordOf(house, "grant", grant)
  if (grant === null || held === null) return
  const images = Math.max(1, held.terms.images + Math.floor(s.chance() * 5) - 3)
  const releases = Math.min(10 * images, Math.max(images, held.terms.releases))
  const statement = {
    version: held.version,
    terms_sha256: held.terms_sha256,
    terms: { ...held.terms, images, releases },
  }
  const role = pick(s, [...holders, "cor"] as const)
  const path = `/v1/grants/${grant}/edits`
  await editGrant(house, await caller(s, house, { role, path, statement }), grant)
}

async function revoke(s: Stepping, house: House): Promise<void> {
  const grant = recent(s)
  const held = grant === null ? null : await recordOf(house, "grant", grant)
  if (grant === null || held === null) return
  const path = `/v1/grants/${grant}/revocation`
  const statement = { terms_sha256: held.terms_sha256 }
  await revokeGrant(house, await caller(s, house, { role: "cor", path, statement }), grant)
}

async function suspendOne(s: Stepping, house: House): Promise<void> {
  const { person } = s.port.people[pick(s, holders)]
  const { organization } = (await recordOf(house, "person", person))!
  const what =
    s.chance() < 0.5
      ? ({ kind: "person", id: person } as const)
      : ({ kind: "organization", id: organization } as const)
  const resource = what.kind === "person" ? "people" : "orgs"
  const path = `/v1/${resource}/${what.id}/suspension`
  const statement = { suspended: s.chance() < 0.08 }
  await suspend(house, await caller(s, house, { role: "analyst", path, statement }), what)
}

const watched: readonly Role[] = [...holders, "custodian", "privacy", "analyst"]

/** Whoever the watch asked says why, and whom anybody suspended two people lift. */
async function settle(s: Stepping, house: House): Promise<void> {
  const role = pick(s, watched)
  const { person, suspended, organization } = (await recordOf(house, "person", s.port.people[role].person))!
  const root = (await recordOf(house, "organization", organization))!
  const top = root.parent === null ? root : (await recordOf(house, "organization", root.parent))!
  const by = role === "custodian" ? "analyst" : "custodian"
  if (suspended || top.suspended) {
    const act = suspended ? "lift-person" : "lift-organization"
    const statement: Statement = suspended ? { person } : { organization: top.organization }
    const asked = await caller(s, house, { role: by, path: motionPaths[act], statement })
    return carry(s, house, (await proposeMotion(house, asked, act)).id, "cor")
  }
  const names = { reason: "drawn at random, and said why" }
  const told = { path: "/v1/watch/answers", statement: {}, names }
  await answerWatch(house, await callerOf(house, s.port.people[role], told))
}

async function stopOrResume(s: Stepping, house: House): Promise<void> {
  const scope = s.chance() < 0.5 ? "vault" : s.port.reader.port
  const isStopped = (await recordOf(house, "stop", scope))?.isStopped === true
  const statement = { scope }
  if (!isStopped && s.chance() < 0.04) {
    await orderStop(house, await caller(s, house, { role: "analyst", path: "/v1/stops", statement }))
    return
  }
  if (!isStopped) return
  const asked = await caller(s, house, { role: "cor", path: "/v1/resumptions", statement })
  await carry(s, house, (await proposeMotion(house, asked, "resume")).id)
}

async function anotherPolicy(s: Stepping, house: House): Promise<void> {
  const approvals = s.chance() < 0.8 ? [] : [{ office: "custodian", people: 1 }]
  const number = (most: number) => 1 + Math.floor(s.chance() * most)
  const statement = {
    approvals,
    person_day: number(20),
    organization_30d: 50 + number(200),
    vault_day: 10 + number(60),
    glass_images: 10,
  }
  const asked = await caller(s, house, { role: "custodian", path: "/v1/policy", statement })
  await carry(s, house, (await proposeMotion(house, asked, "policy")).id)
}

async function carry(s: Stepping, house: House, motion: string, role: Role = "privacy"): Promise<void> {
  const held = (await recordOf(house, "motion", motion))!
  const statement = { motion_sha256: held.motion_sha256, decision: "second" }
  const path = `/v1/motions/${motion}/second`
  await secondMotion(house, await caller(s, house, { role, path, statement }), motion)
}

function jump(s: Stepping): Promise<void> {
  s.jump(Math.floor(s.chance() * 6 * 3_600_000))
  return Promise.resolve()
}
