// Appends to a ledger from a process of its own, for the crash matrix: says each entry that was acknowledged, with its
// receipt, in one write; what it says no more was not acknowledged. Runs on the built program.
import { writeSync } from "node:fs"
import { createHash } from "node:crypto"
import { signerOf } from "../../dist/ed25519.js"
import { armFailpoint } from "../../dist/failpoint.js"
import { openPostgres } from "../../dist/ledger/postgres.js"
import { openSqlite } from "../../dist/ledger/sqlite.js"
import { Log } from "../../dist/log/log.js"
import { openDisk } from "../../dist/objects/disk.js"

const { file, url, objects, name, count, clients, failpoint } = JSON.parse(process.argv[2])
const say = line => writeSync(1, `${JSON.stringify(line)}\n`)
const wanted = { records: [], counters: [], members: [], captures: [], sequences: [] }

const ledger = url === undefined ? await openSqlite({ file }) : await openPostgres({ url, poolSize: 2 })
const store = objects === undefined ? null : await openDisk({ folder: objects })
const signer = signerOf(Buffer.alloc(32, 7))
const log = new Log({ ledger, origin: "sallyport.example/crash", signer, clock: Date.now })
const genesis = {
  kind: "genesis",
  origin: log.origin,
  mode: "x25519",
  escrow_recipient_sha256: "0".repeat(64),
  organization: "org_00000000000000000000000000",
  organization_name: "Agency",
  person: "per_00000000000000000000000000",
  office: "custodian",
  key: Buffer.from(signer.publicKey).toString("base64"),
  name_commitment: Buffer.alloc(32).toString("base64"),
}
if ((await log.head()).size === 0) await log.append({ wanted, draft: () => ({ entry: genesis }) })
say({ ready: true })
armFailpoint(failpoint ?? "")

let next = 0
async function client() {
  for (let i = next++; i < count; i = next++) {
    const grant = `${name}-${i}`
    try {
      if (store !== null) {
        const bytes = createHash("sha512").update(grant).digest()
        await store.putIfAbsent(createHash("sha256").update(bytes).digest("hex"), bytes)
      }
      const nothing = {
        person: null,
        reader: null,
        capture: null,
        network: null,
        asked: null,
        statement: null,
      }
      const entry = { kind: "refused", of: "read", code: "OFFICE", grant, ...nothing }
      const appended = await log.append({ wanted, draft: () => ({ entry }) })
      say({ acknowledged: grant, index: appended.index, receipt: await log.receipt(appended) })
    } catch (error) {
      say({ refused: grant, code: error.code ?? error.message })
    }
  }
}
await Promise.all(Array.from({ length: clients ?? 1 }, client))
await ledger.close()
