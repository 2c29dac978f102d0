import { readFileSync } from "node:fs"
import { join } from "node:path"
import { drawHonest, usualTraffic, type Traffic } from "../src/drawing/traffic/traffic.ts"
import { assess, type Assessment, type WatchState } from "../src/watch/assess.ts"
import { parseModel, type Model } from "../src/watch/model.ts"
import { Replay, type ReplayOptions } from "../src/watch/replay.ts"
import { answered, emptyOrganization, emptyPerson } from "../src/watch/state.ts"
import type { WatchedRequest } from "../src/watch/symbols.ts"
import { root } from "./tidy.ts"

/** The model that comes along. */
export const shipped: Model = parseModel(readFileSync(join(root, "models/watch.json"), "utf8"))

export function newState(): WatchState {
  return { person: emptyPerson(), organization: emptyOrganization() }
}

const start_ms = 1_925_510_400_000 + 10 * 3_600_000

/** An image within the order, half a minute after the one before. */
export function within(nth: number, change: Partial<WatchedRequest> = {}): WatchedRequest {
  return {
    at_ms: start_ms + 30_000 * nth,
    isOffHours: false,
    purpose: "calibration",
    ticket: 7,
    scope: "within",
    isOtherKind: false,
    isHeld: false,
    image: nth + 1,
    cell: 5,
    port: 3,
    place: nth % 320,
    network: 100,
    device: 1_000,
    ...change,
  }
}

export function outside(nth: number, change: Partial<WatchedRequest> = {}): WatchedRequest {
  return within(nth, { scope: "outside", cell: 1_000 + nth, image: 1_000_000 + nth, ...change })
}

/** Assesses one after the other; a step-up is answered. */
export function assessAll(
  state: WatchState,
  requests: Iterable<WatchedRequest>,
  model: Model = shipped,
): Assessment[] {
  return [...requests].map(request => {
    const assessment = assess(model, state, request)
    if (assessment.verdict === "step-up") for (const each of Object.values(state)) answered(each)
    return assessment
  })
}

export function replayed(traffic: Traffic, options: Partial<ReplayOptions> = {}): Replay {
  const replay = new Replay({ model: shipped, layers: "watch alone", orders: "known", ...options })
  for (const { principal, organization, zone_h } of traffic.world.people)
    replay.person(principal, organization, zone_h)
  for (const order of traffic.orders) replay.order(order)
  for (const [seq, request] of traffic.requests.entries()) replay.request(request, seq)
  return replay
}

export function honest(seed: string, days = 60): Traffic {
  return drawHonest({ seed, ...usualTraffic, days })
}
