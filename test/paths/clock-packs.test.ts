import { mkdir, writeFile } from "node:fs/promises"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { Ask } from "../../src/cli/client.ts"
import { openServer } from "../../src/http/server.ts"
import type { Evaluation } from "../../src/incident/clocks.ts"
import type { ListedPacks } from "../../src/incident/pack-place.ts"
import { newId } from "../../src/ids.ts"
import { organizationOf } from "../destinations.ts"
import { codeOf, openTestPort, type Role } from "../port.ts"
import { clientFor } from "../server.ts"
import { root } from "../tidy.ts"

/** A server that reckons by packs of the agency's own: the one of docs/clocks.md. */

const page = readFileSync(join(root, "docs/clocks.md"), "utf8")
const [, pack = ""] = /^```json pack\n([\s\S]*?)^```$/m.exec(page)!
const settings = { packs: "packs" }

const having = (files: Readonly<Record<string, string>>) => async (data: string) => {
  await mkdir(join(data, "packs"))
  for (const [name, text] of Object.entries(files)) await writeFile(join(data, "packs", name), text)
}

test("clocks of an own pack run, are started with its digest, and the list says where each pack is from", async () => {
  const port = await openTestPort({ settings, prepare: having({ "port-authority.json": pack }) })
  const server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  const ask = <T>(role: Role, of: Ask) =>
    clientFor(port.people[role], server.url, port.house.log.origin).json<T>(of)
  const statement = {
    title: "the vendor's network",
    cause: { of: "organizations", organizations: [await organizationOf(port, "engineer")] },
    ...{ from: null, until: null, note_commitment: null },
    discovered: [{ party: "agency", at: new Date(port.house.log.clock() - 3_600_000).toISOString() }],
    facts: { elements: { plate_image: "yes" } },
  }
  const headers = { "idempotency-key": newId("req") }
  const { incident } = await ask<{ incident: string }>("privacy", {
    ...{ method: "POST", path: "/v1/incidents", statement, headers },
  })
  const path = `/v1/incidents/${incident}/clocks`
  const { clocks } = await ask<Evaluation>("privacy", { method: "GET", path })
  const own = clocks.find(each => each.pack.id === "port-authority" && each.party === "agency")!
  // Four hours, of which one is over.
  expect(own.status).toMatchObject({ state: "running", percent: 25 })
  const started = await ask<{ entry: number }>("privacy", {
    ...{ method: "POST", path, statement: { version: 1 } },
  })
  const [row] = await port.house.ledger.entries(started.entry, started.entry + 1)
  expect(JSON.parse(new TextDecoder().decode(row!.bytes))).toMatchObject({
    packs: expect.arrayContaining([{ pack: "port-authority", version: 1, sha256: own.pack.sha256 }]),
    clocks: expect.arrayContaining([expect.objectContaining({ pack: "port-authority", rule: "counsel" })]),
  })
  const list = { method: "GET", path: "/v1/clock-packs" } as const
  const { packs } = await ask<ListedPacks>("auditor", list)
  const from = packs.map(({ id, file }) => [id, file])
  expect(from).toContainEqual(["port-authority", "port-authority.json"])
  expect(from).toContainEqual(["us-dhs", null])
  expect(await codeOf(ask("engineer", list))).toBe("OFFICE")
  await server.close()
  await port.close()
})

const nm = readFileSync(join(root, "packs/us-nm.json"), "utf8")

test.each([
  ["a pack that is none", { "own.json": pack.replace('"hours": 4', '"hours": 0') }, /own\.json, line 18, /],
  ["the version that comes along", { "nm.json": nm }, /^nm\.json: version 1 of us-nm is not higher/],
  ["two for one day", { "a.json": pack, "b.json": pack }, /^a\.json and b\.json are both port-authority/],
  ["a folder without packs", {}, /has 0 packs/],
])("with %s a server does not start, and says why", async (_, files, why) => {
  await expect(openTestPort({ settings, prepare: having(files) })).rejects.toMatchObject({
    ...{ code: "CLOCK_PACK", message: expect.stringMatching(why) },
  })
})
