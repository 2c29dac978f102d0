import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { admit } from "../src/custody/admit.ts"
import { permit } from "../src/custody/opening.ts"
import { houseSources, ledgerSource } from "../src/custody/scope-reading.ts"
import { scopeOf } from "../src/custody/scope.ts"
import { Fault } from "../src/fault.ts"
import { newId } from "../src/ids.ts"
import { wanting } from "../src/ledger/ledger.ts"
import { undoubted } from "../src/picture/level.ts"
import { examineAs, grantOf, openTestPort, releaseCaller, sealShot, setPolicy } from "../test/port.ts"
import { sideBySide } from "./measure.ts"

/**
 * The scope of an incident on a real vault's log of `SALLYPORT_ENTRIES` entries: what a server pays the first time (reading and
 * verifying everything), and when it is asked again, and for how long others wait meanwhile. Deliveries are entries alone: no picture is made.
 */

const wanted = Number(process.env.SALLYPORT_ENTRIES ?? 38_000)
const captures = Math.floor(wanted / 4.75)

/** Processor time of the thread that answers, ns, as Linux has it: what else runs on the machine does not lengthen it. */
const used_ns = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0])

/** @returns what ends the measuring and says the longest time, ms, that was worked between two turns of the event loop, a millisecond apart. */
function longestTurn(): () => number {
  let [before_ns, longest_ns] = [used_ns(), 0]
  const turn = () => {
    const now_ns = used_ns()
    longest_ns = Math.max(longest_ns, now_ns - before_ns)
    before_ns = now_ns
  }
  const timer = setInterval(turn, 1)
  return () => {
    clearInterval(timer)
    turn()
    return longest_ns / 1e6
  }
}

const port = await openTestPort({ settings: { watch: "observe" } })
const { house } = port
await setPolicy(port, { person_day: 1_000_000, organization_30d: 1_000_000, vault_day: 1_000_000 })
const picture = new Uint8Array(randomBytes(1000))
const shots: Uint8Array[] = []
let crossing = newId("crs")
for (let n = 0; n < captures; n += 1) {
  if (n % 3 === 0) crossing = newId("crs")
  shots.push((await sealShot(port, { picture, bend: { crossing } })).bytes)
}
const ids = await sideBySide(captures, async n => {
  const { capture } = await admit(house, shots[n] as Uint8Array)
  const plates = [{ x_px: 20, y_px: 40, width_px: 60, height_px: 20 }]
  const faces = Array.from({ length: n % 3 }, (_, i) => ({
    x_px: 10 + 20 * i,
    y_px: 10,
    width_px: 10,
    height_px: 12,
  }))
  const digest = Buffer.alloc(16)
  digest.writeUInt32LE(n % 3000)
  const found = { width_px: 120, height_px: 80, plates, faces, doubted: undoubted }
  await examineAs(port, capture, found, [digest.toString("base64")])
  return capture
})
const grant = await grantOf(port, { terms: { images: 100_000, releases: 100_000 } })
await sideBySide(Math.floor(captures * 0.75), async n => {
  const permitted = await permit(
    house,
    await releaseCaller(port, { grant, capture: ids[n] as string }),
    "release",
  )
  const entry = { kind: "delivered", permit: permitted.index, capture: ids[n] as string } as const
  const copy = {
    sha256: randomBytes(32).toString("hex"),
    size_bytes: 1000,
    media_type: "image/png",
    mark: null,
  } as const
  await house.log.append({ wanted: wanting({}), draft: () => ({ entry: { ...entry, ...copy } }) })
})
await sideBySide(Math.floor(captures * 0.25), async n => {
  const capture = ids[captures - 1 - n] as string
  await permit(house, await releaseCaller(port, { grant, capture, role: "colleague" }), "release").catch(
    (error: unknown) => {
      if (!(error instanceof Fault)) throw error
    },
  )
})
const person = JSON.parse(
  (await house.ledger.record("person", port.people.engineer.person))?.body ?? "{}",
) as { organization: string }
const now_ms = house.log.clock()
const query = {
  cause: { of: "organizations", organizations: [person.organization] },
  from: new Date(now_ms - 86_400_000).toISOString(),
  until: new Date(now_ms + 86_400_000).toISOString(),
} as const
const times: string[] = []
for (const name of ["first, everything read and verified", "again", "again, after 2 more entries"]) {
  if (name.includes("more"))
    await examineAs(port, (await admit(house, (await sealShot(port, { picture })).bytes)).capture, {
      width_px: 120,
      height_px: 80,
      plates: [],
      faces: [],
      doubted: undoubted,
    })
  const held = longestTurn()
  const [at, used] = [performance.now(), process.cpuUsage()]
  const { result } = await scopeOf(houseSources(house), { incident: "inc_01KB7Z0000000000000000000S", query })
  const ms = performance.now() - at
  const { user, system } = process.cpuUsage(used)
  const longest_ms = held()
  const sets = [result.left, result.refused, result.takeable].map(({ images }) => images.at_most)
  times.push(
    `${name}: ${(ms / 1000).toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of processor time, at most ${longest_ms.toFixed(0)} ms of it in one turn of the event loop (${result.checkpoint.size} entries; images left ${sets[0]}, refused ${sets[1]}, takeable ${sets[2]}; people ${result.left.people.at_least} to ${result.left.people.at_most})`,
  )
}
const mirror = { ...houseSources(house), log: ledgerSource(house), beside: null }
const at = performance.now()
await scopeOf(mirror, { incident: "inc_01KB7Z0000000000000000000S", query })
times.push(`from entries alone: ${((performance.now() - at) / 1000).toFixed(2)} s`)
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model ?? ""}, load ${loadavg()[0]?.toFixed(1) ?? ""}, Node ${process.version}, ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
)
for (const time of times) console.log(time)
await port.close()
