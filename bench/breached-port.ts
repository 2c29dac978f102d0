import { randomBytes } from "node:crypto"
import { admit } from "../src/custody/admit.ts"
import { permit } from "../src/custody/opening.ts"
import { wanting } from "../src/ledger/ledger.ts"
import { undoubted } from "../src/picture/level.ts"
import { breach } from "../test/incident.ts"
import { examineAs, grantOf, openTestPort, releaseCaller, sealShot, setPolicy } from "../test/port.ts"
import type { TestPort } from "../test/port.ts"
import { sideBySide } from "./measure.ts"

/** So often each image leaves. */
const each = 8
/** A grant's images and releases, well below what terms take. */
const mostImages = 10_000

/**
 * A vault from which a subcontractor took images, each eight times, before it was broken into: entries as the vault writes
 * them, signed and judged. Deliveries are entries alone: no picture is made.
 */
export async function breachedPort(releases: number): Promise<{ port: TestPort; incident: string }> {
  const port = await openTestPort({ settings: { watch: "observe" } })
  const { house } = port
  await setPolicy(port, { person_day: 1_000_000, organization_30d: 1_000_000, vault_day: 1_000_000 })
  const captures = Math.ceil(releases / each)
  const picture = new Uint8Array(randomBytes(1000))
  const plates = [{ x_px: 20, y_px: 40, width_px: 60, height_px: 20 }]
  const found = { width_px: 120, height_px: 80, plates, faces: [], doubted: undoubted }
  const ids: string[] = []
  // A reader's captures are sealed one after the other, since each has the next number.
  for (let from = 0; from < captures; from += 1000) {
    const shots: Uint8Array[] = []
    for (let n = from; n < Math.min(captures, from + 1000); n += 1)
      shots.push((await sealShot(port, { picture })).bytes)
    ids.push(
      ...(await sideBySide(shots.length, async n => {
        const { capture } = await admit(house, shots[n] as Uint8Array)
        await examineAs(port, capture, found, [Buffer.alloc(16, n % 250).toString("base64")])
        return capture
      })),
    )
  }
  for (let from = 0; from < captures; from += mostImages) {
    const some = ids.slice(from, from + mostImages)
    const terms = { images: some.length, releases: each * some.length }
    const grant = await grantOf(port, { terms })
    const count = Math.min(releases - each * from, each * some.length)
    await sideBySide(count, async n => {
      const capture = some[n % some.length] as string
      const { index } = await permit(house, await releaseCaller(port, { grant, capture }), "release")
      const entry = { kind: "delivered", permit: index, capture } as const
      const copy = { sha256: randomBytes(32).toString("hex"), size_bytes: 1000 } as const
      const draft = () => ({ entry: { ...entry, ...copy, media_type: "image/png", mark: null } as const })
      await house.log.append({ wanted: wanting({}), draft })
    })
  }
  return { port, incident: await breach(port) }
}
