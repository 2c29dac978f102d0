import { base64, utf8 } from "../src/bytes.ts"
import { canonical } from "../src/canonical.ts"
import { register } from "../src/custody/register.ts"
import { newSeed, signerOf, type Signer } from "../src/ed25519.ts"
import { Health, type Alarm, type Detail, type EventName } from "../src/lane/health.ts"
import type { Journal, Noted } from "../src/lane/journal.ts"
import { formatReport } from "../src/lane/report.ts"
import type { Spool } from "../src/lane/spool.ts"
import { callerOf, type TestPort } from "./port.ts"

/** A reader whose agent exists only as far as its reports. */
export interface Told {
  readonly reader: string
  readonly signer: Signer
}

export async function enrolledReader(port: TestPort): Promise<Told> {
  const signer = signerOf(newSeed())
  const key = base64(signer.publicKey)
  const statement = { lane: port.lane, key, boxes: "none", name: `Told ${key.slice(0, 6)}` }
  const caller = await callerOf(port.house, port.people.custodian, { path: "/v1/readers", statement })
  return { reader: (await register(port.house, caller, "readers")).id, signer }
}

export interface Reported {
  readonly boot?: string
  readonly at_ms?: number
  readonly vault?: string
  readonly numbered?: number
  readonly gaps?: readonly { readonly from: number; readonly to: number }[]
  readonly alarms?: readonly Alarm[]
  readonly events?: readonly (readonly [n: number, what: EventName, detail: Detail, boot?: string])[]
}

export const firstBoot = "00000000000000a1"

/** The bytes that the agent's own function makes of this. */
export function reportBytes(port: TestPort, { reader, signer }: Told, of: Reported = {}): Uint8Array {
  const clock = () => of.at_ms ?? port.house.log.clock()
  const { port: id } = port.reader
  const boot = of.boot ?? firstBoot
  const health = new Health({ clock, told: () => undefined })
  for (const alarm of of.alarms ?? []) health.raise(alarm)
  const { numbered = 0, gaps = [] } = of
  const spool = { head: null, numbered, settled: 0, files: 3, bytes: 4096, refused: { files: 0 }, gaps }
  const events: Noted[] = (of.events ?? []).map(([n, what, detail, other]) => {
    return { at: new Date(clock()).toISOString(), what, detail, boot: other ?? boot, n }
  })
  const options = {
    reader: { vault: of.vault ?? port.house.log.origin, port: id, lane: port.lane, reader, signer },
    ...{ spool: spool as unknown as Spool, health, journal: { boot, folded: 0 } as Journal, clock },
  }
  return formatReport(options, events)
}

/** A report whose fields are bent and which its reader signed all the same. */
export function bentReport(
  bytes: Uint8Array,
  signer: Signer,
  bend: (report: Record<string, unknown>) => unknown,
): Uint8Array {
  const [first = "", json = ""] = Buffer.from(bytes).toString("utf8").split("\n")
  const bent = bend(JSON.parse(json) as Record<string, unknown>)
  const message = `${first}\n${typeof bent === "string" ? bent : canonical(bent)}`
  return utf8(`${message}\n${base64(signer.sign(utf8(message)))}\n`)
}
