import { permit } from "../src/custody/opening.ts"
import { wanting } from "../src/ledger/ledger.ts"
import { localHour } from "../src/custody/local-hour.ts"
import type { House } from "../src/custody/house.ts"
import { verifyEd25519 } from "../src/ed25519.ts"
import { newId } from "../src/ids.ts"
import { fsck } from "../src/log/fsck.ts"
import type { Draft } from "../src/log/kinds.ts"
import { names } from "../src/log/state.ts"
import { grantOf, openTestPort, releaseCaller, type TestPort } from "../test/port.ts"

/**
 * A nation's day in one log: 1.4 million admissions, each examined, and 20,000 releases decided, charged and delivered.
 * Entries and rows are the real ones; there are no pictures (bodies of one byte), and the clock runs a day in the time it
 * takes. At the end the whole log is verified and the ledger computed anew.
 */
const admissions = Number(process.argv[2] ?? 1_400_000)
const releases = Math.round(admissions / 70)
const clients = 256
const examiner = "bench/1"
const zeros = "0".repeat(64)
const day_ms = 86_400_000

async function admit(port: TestPort, sequence: number): Promise<string> {
  const { house, reader } = port
  const capture = newId("cap")
  const now_ms = house.log.clock()
  const draft: Extract<Draft, { kind: "admitted" }> = {
    kind: "admitted",
    capture,
    port: reader.port,
    lane: reader.lane,
    hour: localHour(new Date(now_ms).toISOString(), "America/Chicago"),
    captured: "plate",
    reader: reader.reader,
    sequence,
    gap: 0,
    sealed_to: `day/${new Date(now_ms).toISOString().slice(0, 10)}`,
    header_sha256: zeros,
    body_sha256: zeros,
    size_bytes: 1,
  }
  await house.log.append({
    wanted: wanting({
      records: [{ kind: "reader", id: reader.reader }],
      captures: [capture],
      sequences: [{ reader: reader.reader, sequence }],
    }),
    draft: state => {
      if (state.captureAt(reader.reader, sequence) !== null) throw new Error("the sequence number is used")
      const headerJson = `{"capture":"${capture}","v":1}`
      const texts = {
        crossing: capture,
        headerJson,
        headerSignature: new Uint8Array(64),
        ageHeader: new Uint8Array(300),
      }
      return { entry: draft, capture: { capturedAt_ms: now_ms, findingsJson: null, ...texts } }
    },
  })
  return capture
}

async function examine(house: House, capture: string): Promise<void> {
  const set = names.examinations(examiner)
  const permitted = await house.log.append({
    wanted: wanting({ captures: [capture], members: [{ set, member: capture }] }),
    draft: state => {
      const held = state.capture(capture)
      if (held === null || held.examined !== null) throw new Error("there is nothing to examine")
      const { lane, hour, admitted } = held
      const system = { by: null, examiner, asked: null, statement: null, examined: null, faces: null }
      return {
        entry: { kind: "permit", for: "examine", capture, lane, hour, level: "L4", admitted, ...system },
      }
    },
  })
  await house.log.append({
    wanted: wanting({ captures: [capture] }),
    draft: () => ({
      entry: {
        kind: "examined",
        capture,
        permit: permitted.index,
        outcome: "boxes",
        plates: 1,
        faces: null,
        sealed_to: "epoch/standard/2026-11",
        age_header_sha256: zeros,
        findings_commitment: `${"A".repeat(43)}=`,
      },
    }),
  })
}

async function release(port: TestPort, grant: string, capture: string): Promise<void> {
  const { house } = port
  const permitted = await permit(house, await releaseCaller(port, { grant, capture }), "release")
  const fields = {
    permit: permitted.index,
    capture,
    sha256: zeros,
    size_bytes: 1,
    media_type: "image/png",
  } as const
  await house.log.append({ wanted: wanting({}), draft: () => ({ entry: { kind: "delivered", ...fields } }) })
}

const port = await openTestPort()
const begun_ms = Date.now()
const say = (line: string) =>
  process.stdout.write(`${((Date.now() - begun_ms) / 1000).toFixed(0).padStart(6)} s  ${line}\n`)
const now_ms = port.house.log.clock()
const dates = [now_ms - day_ms, now_ms + 2 * day_ms].map(at_ms => new Date(at_ms).toISOString().slice(0, 10))
const grant = await grantOf(port, {
  terms: {
    images: Math.max(1, releases),
    dates: { first: dates[0] ?? "", last: dates[1] ?? "" },
    ends_at: new Date(now_ms + 2 * day_ms).toISOString(),
  },
})
let next = 0
let left = 0
await Promise.all(
  Array.from({ length: clients }, async () => {
    for (let i = next++; i < admissions; i = next++) {
      // The simulated clock: the share of a whole day that is done, never behind the real time that passed.
      port.clock.offset_ms = Math.max(
        port.clock.offset_ms,
        Math.floor((i / 1_400_000) * day_ms) - (Date.now() - begun_ms),
      )
      const capture = await admit(port, i + 1)
      await examine(port.house, capture)
      if (i % 70 === 69) {
        await release(port, grant, capture)
        left += 1
      }
      if (i % 100_000 === 99_999)
        say(`${(i + 1).toLocaleString("en-US")} captures, ${left.toLocaleString("en-US")} releases`)
    }
  }),
)
const sequenced_s = (Date.now() - begun_ms) / 1000
const { size } = await port.house.log.head()
const rss = () => `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`
say(
  `sequenced ${size.toLocaleString("en-US")} entries, ${(size / sequenced_s).toFixed(0)} a second; at most ${rss()}`,
)
const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
const { counted, problems } = found
say(
  `verified: ${counted.entries} entries, ${counted.captures} captures, ${problems.length} problems; at most ${rss()}`,
)
for (const { at, why } of problems.slice(0, 5)) say(`${at}: ${why}`)
await port.close()
process.exitCode = problems.length === 0 && left === releases ? 0 : 1
