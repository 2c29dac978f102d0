import { cpus } from "node:os"
import { p256 } from "@noble/curves/nist.js"
import sharp from "sharp"
import { stateOf } from "../src/custody/caller.ts"
import { askOf, permit, wantedFor } from "../src/custody/opening.ts"
import { verifyEd25519 } from "../src/ed25519.ts"
import { decide } from "../src/grant/decide.ts"
import { isSigned } from "../src/grant/request.ts"
import { countsAfter, factsFor } from "../src/log/facts.ts"
import { judge } from "../src/log/judge.ts"
import type { EntryOf } from "../src/log/kinds.ts"
import { signedByPasskey } from "../test/passkey.ts"
import { measure } from "./measure.ts"
import { grantOf, openTestPort, releaseCaller, takeIn } from "../test/port.ts"

/** What the decision on one image costs beside the durable charge that follows it, in one run. Nothing here is asserted. */

const port = await openTestPort()
const { house } = port
const picture = new Uint8Array(
  await sharp({ create: { width: 160, height: 120, channels: 3, background: "#456" } })
    .jpeg()
    .toBuffer(),
)
const captures: string[] = []
for (let i = 0; i < 20; i += 1) captures.push((await takeIn(port, { picture })).capture)
const grant = await grantOf(port, { terms: { images: 100, releases: 1000 } })
const [capture = ""] = captures
const caller = await releaseCaller(port, { grant, capture })

/** Microseconds of each call, sorted; the first tenth is left out as warming up. */
function timed(count: number, run: () => unknown): number[] {
  const times: number[] = []
  for (let i = 0; i < count; i += 1) {
    const start = process.hrtime.bigint()
    run()
    if (i >= count / 10) times.push(Number(process.hrtime.bigint() - start) / 1000)
  }
  return times.sort((a, b) => a - b)
}

function row(what: string, times: readonly number[]): void {
  const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(1) ?? ""
  process.stdout.write(`| ${what} | ${at(0.5)} | ${at(0.99)} |\n`)
}

const [cpu] = cpus()
process.stdout.write(
  `${new Date().toISOString().slice(0, 10)}, ${cpu?.model ?? "unknown"}, ${cpus().length} cores, Node ${process.version}\n\n| work | median µs | p99 µs |\n|---|---|---|\n`,
)

const facts = await house.ledger.capture(capture)
if (facts === null) throw new Error("the capture is there")
const { lane, hour, admitted, faces } = facts
const state = await stateOf(house, await wantedFor(house, caller, { grant, capture }))
const now_ms = house.log.clock()
const asking = { for: "release", person: caller.person.person, level: "L2" } as const
const question = { person: caller.person, grant, capture: { capture, lane, hour, admitted, faces }, now_ms }
const decision = timed(50_000, () => {
  const held = factsFor(state, question)
  if (held === null || decide(askOf(caller, asking, held), held, now_ms) !== null) throw new Error("refused")
  return countsAfter(held)
})
row("the decision: facts, every rule, the budgets after", decision)

const appended = await permit(house, caller, "release")
const { v: _v, at: _at, ...drafted } = appended.entry as EntryOf<"permit">
const before = state
row(
  "a permit judged again, as vault and fsck do",
  timed(20_000, () => judge(drafted, before, now_ms)),
)
const context = { statement: caller.statement, verify: verifyEd25519 }
row(
  "a request's signature (Ed25519)",
  timed(5_000, () => isSigned(caller.asked, house.log.origin, context)),
)
const { signature: _s, device: _d, passkey: _p, ...unsigned } = caller.asked
const by = { secret: p256.utils.randomSecretKey(), origin: "https://vault.example" }
const passkey = signedByPasskey(unsigned, by, { vault: house.log.origin, statement: caller.statement })
row(
  "a passkey's assertion (P-256)",
  timed(1_000, () => isSigned(passkey, house.log.origin, context)),
)

for (const clients of [1, 16]) {
  const run = async (i: number) =>
    permit(
      house,
      await releaseCaller(port, { grant, capture: captures[i % captures.length] ?? "" }),
      "release",
    )
  const { median_ms, p99_ms } = await measure("charge", { clients, count: 400, run })
  process.stdout.write(
    `| decided, charged and durable in the log, ${clients} at once | ${(median_ms * 1000).toFixed(0)} | ${(p99_ms * 1000).toFixed(0)} |\n`,
  )
}
await port.close()
