import type { ContractState, Facts, OrganizationState, Used } from "../grant/decide.ts"
import { levelAt, policyOf, rootOf, standingGrant } from "./standing.ts"
import type { EntryOf } from "./kinds.ts"
import { lookName, names, type Records, type State } from "./state.ts"

/** What a permit says of the budgets after it. */
export type CountsAfter = Pick<
  NonNullable<EntryOf<"permit">["by"]>,
  | "images_after"
  | "releases_after"
  | "people_after"
  | "person_day_after"
  | "organization_30d_after"
  | "vault_day_after"
  | "halves"
>

export interface Question {
  readonly person: Records["person"]
  readonly grant: string
  /** `capture` is the id; lane, hour and index as its entry `admitted` has them. */
  readonly capture: Facts["capture"]
  readonly now_ms: number
}

/**
 * Everything that the decision table asks about one image, or `null` where the grant does not exist. Levels add up over a
 * vendor's tree, where copies stay; a reveal leaves none.
 */
export function factsFor(
  state: State,
  { person, grant: id, capture: { capture, lane, hour, admitted, faces }, now_ms }: Question,
): Facts | null {
  const held = state.record("grant", id)
  if (held === null) return null
  const grant = standingGrant(held, state)
  const root = rootOf(person.organization, state)
  return {
    grant,
    person,
    organizations: chainOf(person.organization, state),
    contracts: contractsFrom(grant.terms.contract, state),
    capture: { capture, lane, hour, admitted, faces },
    policy: policyOf(state),
    isStopped: isStopped(lane, state),
    images: state.counter(names.images(id)),
    people: state.counter(names.people(id)),
    times: state.member(names.released(id), capture),
    releases: state.counter(names.releases(id)),
    used: usedFor(state, { person: person.person, root, now_ms }),
    held: grant.terms.for === "reveal" ? "L0" : levelAt(state.member(names.held(root), capture)),
    isSeconded: isSeconded(state.record("look", lookName(id, capture)), person.person, now_ms),
  }
}

function isSeconded(look: Records["look"] | null, person: string, now_ms: number): boolean {
  return look !== null && look.person === person && now_ms < Date.parse(look.until)
}

/** A contract and those that it rests on, itself first. */
export function contractsFrom(contract: string | null, state: State): ContractState[] {
  const held = contract === null ? null : state.record("contract", contract)
  return held === null ? [] : [held, ...contractsFrom(held.under, state)]
}

/**
 * Whether what a permit rests on stands: nobody and nothing above was suspended, stopped, revoked or widened since, and it
 * has not ended. Asked
 * again when the copy is ready, and while its bytes are on their way.
 */
export function isInForce(
  { by, lane }: { readonly by: NonNullable<EntryOf<"permit">["by"]>; readonly lane: string },
  state: State,
  now_ms: number,
): boolean {
  const grant = state.record("grant", by.grant)
  return (
    state.record("person", by.person)?.suspended === false &&
    chainOf(by.organization, state).every(organization => !organization.suspended) &&
    grant?.status === "approved" &&
    now_ms < Date.parse(grant.terms.ends_at) &&
    !isStopped(lane, state)
  )
}

function isStopped(lane: string, state: State): boolean {
  const port = state.record("lane", lane)?.port
  return (
    state.record("stop", "vault")?.isStopped === true ||
    (port !== undefined && state.record("stop", port)?.isStopped === true)
  )
}

const window_ms = 30 * 86_400_000

function usedFor(state: State, of: { person: string; root: string; now_ms: number }): Used {
  const today = new Date(of.now_ms).toISOString().slice(0, 10)
  const oldest = new Date(of.now_ms - window_ms).toISOString().slice(0, 10)
  const since = (user: string, isIn: (date: string) => boolean) =>
    (state.record("usage", user)?.days ?? [])
      .filter(day => isIn(day.date))
      .reduce((sum, day) => sum + day.images, 0)
  const isToday = (date: string) => date === today
  return {
    person_day: since(of.person, isToday),
    organization_day: since(of.root, isToday),
    organization_30d: since(of.root, date => date > oldest),
    vault_day: since("vault", isToday),
  }
}

/** What a permit says of the budgets after it, and of which it uses up the first half: that is told. */
export function countsAfter({ images, times, ...facts }: Facts): CountsAfter {
  const { releases, used, grant, policy, people, capture } = facts
  const more = times === 0 ? 1 : 0
  const isReveal = grant.terms.for === "reveal"
  const budgets = [
    ["grant", images, grant.terms.images],
    ["person_day", used.person_day, policy.person_day],
    ...(isReveal ? [] : ([["organization_30d", used.organization_30d, policy.organization_30d]] as const)),
    ...(isReveal ? [] : ([["vendor_day", used.organization_day, Math.floor(policy.vault_day / 2)]] as const)),
    ["vault_day", used.vault_day, policy.vault_day],
  ] as const
  return {
    images_after: images + more,
    releases_after: releases + 1,
    people_after: grant.terms.people === null ? null : people + more * (capture.faces ?? 0),
    person_day_after: used.person_day + more,
    organization_30d_after: isReveal ? 0 : used.organization_30d + more,
    vault_day_after: used.vault_day + more,
    halves: budgets
      .filter(([, before, of]) => 2 * before < of && 2 * (before + more) >= of)
      .map(([name]) => name),
  }
}

/** The organization and all above it, itself first. */
export function chainOf(organization: string, state: State): OrganizationState[] {
  const held = state.record("organization", organization)
  if (held === null) return []
  return held.parent === null ? [held] : [held, ...chainOf(held.parent, state)]
}
