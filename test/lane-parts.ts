import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { newSeed, signerOf } from "../src/ed25519.ts"
import { Health, type LaneEvent } from "../src/lane/health.ts"
import { Intake } from "../src/lane/intake.ts"
import { RecipientDays } from "../src/lane/recipient-days.ts"
import { Spool, type SpoolOptions } from "../src/lane/spool.ts"
import { identities } from "../src/lane/taken.ts"
import { Wire } from "../src/lane/wire.ts"
import { newIdentity } from "../src/seal/recipient.ts"
import { noteSigner, signNote } from "../src/tlog/note.ts"

export const vault = "sallyport.example/test"
const day_ms = 86_400_000

/** What an agent is made of, without a vault: a spool on a disk, a clock that tests move, 30 days of recipients. */
export interface LaneParts {
  readonly clock: { now_ms: number }
  readonly events: LaneEvent[]
  readonly identify: (...parts: readonly (string | Uint8Array)[]) => string
  readonly folder: string
  spool: Spool
  intake: Intake
  health: Health
  recipients: RecipientDays
  /** What serves the list of recipients; `text` is what it answers. */
  readonly lists: { text: string; readonly url: string }
  signList(options: { days: number; from_ms?: number; signer?: "custodian" | "stranger" }): Promise<string>
  numberOf(folder: string, name: string): Promise<number | null>
  /** As after a crash: what is on the disk, and nothing else. */
  restart(changed?: Partial<SpoolOptions>): Promise<void>
  close(): Promise<void>
}

export async function laneParts(): Promise<LaneParts> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-parts-"))
  const [custodian, stranger, signer] = [newSeed(), newSeed(), newSeed()].map(signerOf)
  const identify = identities(signer!)
  const clock = { now_ms: Date.now() }
  const { recipient } = await newIdentity("x25519")
  const lists = { text: "", url: "" }
  const server = createServer((_, response) => response.end(lists.text))
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  lists.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const signList: LaneParts["signList"] = async ({
    days,
    from_ms = clock.now_ms - 13 * day_ms,
    signer: by,
  }) => {
    const lines = Array.from(
      { length: days },
      (_, i) => `${new Date(from_ms + i * day_ms).toISOString().slice(0, 10)} ${recipient}`,
    )
    const text = `${["sallyport-recipients/v1", vault, ...lines].join("\n")}\n`
    const key = by === "stranger" ? stranger! : custodian!
    const name = `${vault}/custodian`
    return Promise.resolve(signNote(text, [noteSigner(name, key.publicKey, message => key.sign(message))]))
  }
  lists.text = await signList({ days: 43 })
  const events: LaneEvent[] = []
  const open = async (changed: Partial<SpoolOptions> = {}) => {
    const health = new Health({ clock: () => clock.now_ms, told: event => events.push(event) })
    const spool = await Spool.open({
      ...{ folder, most_bytes: 1e9, most_files: 1000, firstNumber: 1 },
      remembered: { most: 1000, least_s: 0 },
      clock: () => clock.now_ms,
      ...changed,
    })
    const recipients = await RecipientDays.open({
      ...{ file: join(folder, "recipients"), vault, custodian: custodian!.publicKey, health },
      wire: new Wire(lists.url, 5000),
      clock: () => clock.now_ms,
    })
    await recipients.refresh()
    const reader = {
      vault,
      port: "prt_01JDXV6Z0A0000000000000000",
      lane: "lan_01JDXV6Z0A0000000000000000",
      reader: "rdr_01JDXV6Z0A0000000000000000",
      signer: signer!,
    }
    const intake = new Intake({ spool, reader, recipients, health, clock: () => clock.now_ms })
    return { spool, recipients, intake, health }
  }
  const parts: LaneParts = {
    ...{ clock, events, identify, folder, lists, signList },
    ...(await open()),
    async numberOf(of, name) {
      const { size, mtimeMs } = await stat(join(of, name))
      return this.spool.numberOf(identify("folder", name, String(size), String(Math.floor(mtimeMs))))
    },
    async restart(changed) {
      await this.spool.close()
      Object.assign(this, await open(changed))
    },
    async close() {
      await this.spool.close()
      server.close()
      server.closeAllConnections()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return parts
}
