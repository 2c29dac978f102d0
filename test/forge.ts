import { stateOf, type Caller } from "../src/custody/caller.ts"
import { wantedFor } from "../src/custody/opening.ts"
import { watch } from "../src/custody/watching.ts"
import { factsFor } from "../src/log/facts.ts"
import type { Watched } from "../src/log/watching.ts"
import { markCommitment } from "../src/mark/keys.ts"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { changing, wanting } from "../src/ledger/ledger.ts"
import { signerOf } from "../src/ed25519.ts"
import { assert } from "../src/fault.ts"
import type { CaptureRow, Change } from "../src/ledger/ledger.ts"
import type { Draft } from "../src/log/kinds.ts"
import type { Appended } from "../src/log/sequencer.ts"
import { signalName, names, type Records } from "../src/log/state.ts"
import { formatReceipt } from "../src/log/receipt.ts"
import { formatCheckpoint } from "../src/tlog/checkpoint.ts"
import { leafHash } from "../src/tlog/hash.ts"
import { noteSigner, signNote } from "../src/tlog/note.ts"
import { proveInclusion } from "../src/tlog/proof.ts"
import { growTiles, tileReader } from "../src/tlog/tile.ts"
import { emptyFrontier, grow, rootOf } from "../src/tlog/tree.ts"
import { releaseCaller, type Role, type TestPort } from "./port.ts"

/** What only an attacker does: entries that no path wrote, trees that were never published, rows that no entry led to. */

export type PermitDraft = Extract<Draft, { kind: "permit" }>

/** A permit as the release path would draft it, for a test to bend. */
export async function permitDraft(
  port: TestPort,
  ask: { grant: string; capture: string; role?: Role },
): Promise<PermitDraft> {
  const caller = await releaseCaller(port, ask)
  const { ledger } = port.house
  const row = await ledger.capture(ask.capture)
  const grant = JSON.parse((await ledger.record("grant", ask.grant))?.body ?? "null") as
    Records["grant"] | null
  assert(row !== null && grant !== null, "capture and grant exist")
  const times = await ledger.member(names.released(ask.grant), ask.capture)
  const seen = await watchedAs(port, caller, ask)
  return {
    kind: "permit",
    for: "release",
    capture: row.id,
    lane: row.lane,
    hour: row.hour,
    level: "L2",
    admitted: row.admitted,
    examined: row.examined,
    faces: row.faces,
    by: {
      person: caller.person.person,
      organization: caller.person.organization,
      grant: ask.grant,
      purpose: grant.terms.purpose,
      terms_sha256: grant.terms_sha256,
      ...(await usageAfter(port, ask.role ?? "engineer", times === 0 ? 1 : 0)),
      images_after: (await ledger.counter(names.images(ask.grant))) + (times === 0 ? 1 : 0),
      releases_after: (await ledger.counter(names.releases(ask.grant))) + 1,
      people_after: null,
      halves: halvesOf(grant, await ledger.counter(names.images(ask.grant)), times === 0 ? 1 : 0),
      network: null,
    },
    examiner: null,
    mark_sha256: markCommitment(port.house.keys.root.markKeys(row.bodySha256, caller.person.person)),
    ...(seen === null ? {} : { watch: seen }),
    asked: caller.asked,
    statement: caller.statement as PermitDraft["statement"],
  }
}

/** What the watch would make of it. */
async function watchedAs(
  { house }: TestPort,
  caller: Caller,
  { grant, capture }: { readonly grant: string; readonly capture: string },
): Promise<Watched | null> {
  const state = await stateOf(house, await wantedFor(house, caller, { grant, capture }))
  const held = state.capture(capture)
  assert(held !== null, "the capture exists")
  const { lane, hour, admitted, faces } = held
  const now_ms = house.log.clock()
  const asked = { person: caller.person, grant, capture: { capture, lane, hour, admitted, faces }, now_ms }
  const facts = factsFor(state, asked)
  const decided = { code: null, facts, capture: held, level: "L2", grant, asked: capture } as const
  return watch(house, caller, { decided, state, now_ms }).watch
}

function halvesOf(grant: Records["grant"], images: number, more: number): "grant"[] {
  const of = grant.terms.images
  return 2 * images < of && 2 * (images + more) >= of ? ["grant"] : []
}

/**
 * Runs what a forged permit is tried with, and puts the ledger's usage and what the watch remembers back: the vault, which refused the permit, counted
 * nothing of it, and later tests ask both.
 */
export async function keepingUsage<T>(port: TestPort, work: () => Promise<T>): Promise<T> {
  const users = ["person", "organization"].map(async kind =>
    (await port.house.ledger.records(kind, { limit: 100 })).map(row => row.id),
  )
  const ids = ["vault", ...(await Promise.all(users)).flat()]
  const kept = ["usage", "watch"].flatMap(kind => ids.map(id => port.house.ledger.record(kind, id)))
  const rows = await Promise.all(kept)
  const result = await work()
  await writeRows(port, { records: rows.filter(row => row !== null) })
  return result
}

async function usageAfter(port: TestPort, role: Role, more: number) {
  const { ledger } = port.house
  const person = port.people[role].person
  const prime = (await ledger.records("organization", { limit: 10 }))
    .map(row => JSON.parse(row.body) as Records["organization"])
    .find(each => each.name === "Prime")
  const used = async (user: string) => {
    const row = await ledger.record("usage", user)
    return row === null ? 0 : ((JSON.parse(row.body) as Records["usage"]).days.at(-1)?.images ?? 0)
  }
  return {
    person_day_after: (await used(person)) + more,
    organization_30d_after: (await used(prime?.organization ?? "")) + more,
    vault_day_after: (await used("vault")) + more,
  }
}

/** Puts any entry into the real log, past every rule of custody. */
export async function appendRaw(port: TestPort, draft: Draft): Promise<Appended> {
  const { house, people } = port
  const records = [
    { kind: "vault", id: "vault" },
    { kind: "policy", id: "policy" },
    { kind: "moves", id: "moves" },
    { kind: "usage", id: "vault" },
    { kind: "rules", id: "rules" },
  ]
  for (const kind of ["organization", "person", "grant", "contract", "lane", "reader", "key"]) {
    for (const row of await house.ledger.records(kind, { limit: 1000 })) {
      records.push({ kind, id: row.id })
      if (kind === "person" || kind === "organization")
        records.push(
          ...[
            { kind: "usage", id: row.id },
            { kind: "watch", id: row.id },
          ],
          ...(["watch_asked", "watch_suspended"] as const).map(what => ({
            kind: "signal",
            id: signalName(row.id, what),
          })),
        )
    }
  }
  if (draft.kind === "permit" && draft.by !== null) records.push({ kind: "grant", id: draft.by.grant })
  const grants = records.filter(key => key.kind === "grant").map(key => key.id)
  const capture = "capture" in draft ? [draft.capture ?? ""] : []
  const organizations = records.filter(key => key.kind === "organization").map(key => names.held(key.id))
  const sets = [...grants.map(names.released), ...organizations]
  if (draft.kind === "permit" && draft.examiner !== null) sets.push(names.examinations(draft.examiner))
  if (draft.kind === "permit" && draft.by !== null) sets.push(names.released(draft.by.grant))
  assert(people.custodian !== undefined, "the port has people")
  return house.log.append({
    wanted: wanting({
      records,
      counters: grants.flatMap(id => [names.images(id), names.releases(id), names.people(id)]),
      members: sets.flatMap(set => capture.map(member => ({ set, member }))),
      captures: capture,
    }),
    draft: () => ({ entry: draft }),
  })
}

/** Writes rows as a database administrator would: no entry, no rule. */
export async function writeRows(port: TestPort, change: Partial<Change>): Promise<void> {
  await port.house.ledger.sequence(transaction => transaction.store(changing(transaction.head, change)))
}

export async function writeCapture(port: TestPort, id: string, changed: Partial<CaptureRow>): Promise<void> {
  const row = await port.house.ledger.capture(id)
  assert(row !== null, "the capture exists")
  await writeRows(port, { captures: [{ ...row, ...changed }] })
}

/** The log's own key, as whoever stole it has it. */
export async function logSigner(port: TestPort) {
  const seed = Buffer.from((await readFile(join(port.data, "keys", "log.key"), "utf8")).trim(), "base64")
  const signer = signerOf(new Uint8Array(seed))
  return noteSigner(port.house.log.origin, signer.publicKey, message => signer.sign(message))
}

/** A receipt of `last` in a tree of these entries, signed by the log's own key: a fork where the entries differ. */
export async function forkReceipt(port: TestPort, entries: readonly Uint8Array[]): Promise<string> {
  const leaves = entries.map(leafHash)
  const tiles = new Map(
    growTiles(0, new Map(), leaves).map(tile => [`${tile.level} ${tile.index}`, tile.hashes]),
  )
  const size = entries.length
  const read = tileReader(size, async (level, index) => {
    const tile = tiles.get(`${level} ${index}`)
    assert(tile !== undefined, "the fork has its tiles")
    return tile
  })
  const proof = await proveInclusion(size - 1, size, read)
  const root = rootOf(grow(emptyFrontier, leaves))
  const checkpoint = signNote(formatCheckpoint({ origin: port.house.log.origin, size, root }), [
    await logSigner(port),
  ])
  const bytes = entries.at(-1)
  assert(bytes !== undefined, "a fork has entries")
  return formatReceipt({ index: size - 1, bytes, proof }, null, checkpoint)
}

export async function allEntries(port: TestPort): Promise<Uint8Array[]> {
  const { size } = await port.house.log.head()
  return (await port.house.log.entries(0, size)).map(row => row.bytes)
}
