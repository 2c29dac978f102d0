import { spawnSync } from "node:child_process"
import type { Server as HttpServer } from "node:http"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Provider } from "oidc-provider"
import {
  chromium as playwright,
  type Browser,
  type BrowserContext,
  type CDPSession,
  type Page,
} from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { recordOf } from "../../src/custody/caller.ts"
import { requestGrant } from "../../src/custody/grants.ts"
import { declareIncident, scopeIncident } from "../../src/custody/incidents.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { release } from "../../src/custody/release.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import type { Statement } from "../../src/grant/request.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry, type EntryOf } from "../../src/log/kinds.ts"
import { organizationOf } from "../destinations.ts"
import { takeInPlain } from "../flat.ts"
import { state } from "../incident.ts"
import { freePort } from "../postgres.ts"
import { approve, callerOf, grantOf, openTestPort, releaseCaller, second } from "../port.ts"
import { takeIn, termsOf, type TestPort } from "../port.ts"
import sharp from "sharp"

/** The desk in Chromium: sign-in at a real identity provider, a passkey of a virtual authenticator, and who steals them. */
const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  name => spawnSync(name, ["--version"]).status === 0,
)
/** Where the screens go as pictures, when somebody wants to look at them. */
const pictures = process.env.SALLYPORT_PICTURES ?? null

let port: TestPort
let server: Server
let provider: HttpServer
let browser: Browser
let context: BrowserContext
let page: Page
let devtools: CDPSession
let origin: string
let authenticatorId: string

/** A certified OpenID provider, on loopback, with its own pages for signing in. */
async function startProvider(at: number): Promise<HttpServer> {
  const issuer = new Provider(`http://127.0.0.1:${at}`, {
    clients: [
      {
        client_id: "sallyport",
        client_secret: "planted client secret",
        redirect_uris: [`${origin}/v1/sessions/callback`],
      },
    ],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ["planted cookie key"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => Promise.resolve({ sub: id }) }),
  })
  const listening = issuer.listen(at, "127.0.0.1")
  await new Promise(resolve => listening.once("listening", resolve))
  return listening
}

async function signIn(as: string): Promise<void> {
  await page.click("#sign-in")
  await page.waitForSelector("input[name=login], h2:text-is('Your passkeys')")
  if ((await page.$("input[name=login]")) !== null) {
    await page.fill("input[name=login]", as)
    await page.fill("input[name=password]", "any")
    await page.click("button[type=submit]")
    await page.click("button[type=submit]")
  }
  await page.waitForURL(`${origin}/desk`)
}

async function picture(name: string): Promise<void> {
  if (pictures === null) return
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

/** The custodian proposes what a line of the desk says; the privacy officer signs. */
async function enroll(line: string): Promise<void> {
  const said = (option: string) => new RegExp(`--${option}[= ](\\S+)`).exec(line)?.[1]
  const credential = said("credential") ?? null
  const kind = line.includes("--sign-in") ? "subject" : "passkey"
  const statement = { person: port.people.cor.person, key: said("public-key"), kind, credential }
  const caller = await callerOf(port.house, port.people.custodian, { path: "/v1/keys", statement })
  await second(port.house, port.people.privacy, (await proposeMotion(port.house, caller, "add-key")).id)
}

async function pendingGrant(): Promise<string> {
  const statement = { ...termsOf(port, { images: 3 }) } as Statement
  const caller = await callerOf(port.house, port.people.engineer, { path: "/v1/grants", statement })
  return (await requestGrant(port.house, caller)).grant
}

const skipped = program === undefined ? " (skipped: no Chromium here)" : ""

describe.skipIf(program === undefined)(`the desk in Chromium${skipped}`, () => {
  beforeAll(async () => {
    const [own, at] = [await freePort(), await freePort()]
    origin = `http://localhost:${own}`
    const sign_in = {
      issuer: `http://127.0.0.1:${at}`,
      client_id: "sallyport",
      client_secret_file: "client.secret",
    }
    port = await openTestPort({
      settings: { web_origin: origin, sign_in },
      prepare: async data => {
        await writeFile(join(data, "client.secret"), "planted client secret\n")
      },
    })
    const frame = await sharp({ create: { width: 320, height: 200, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer()
    const plates = [{ text: "SP7X042", box: { x_px: 120, y_px: 120, width_px: 60, height_px: 20 } }]
    for (let i = 0; i < 4; i += 1)
      await takeIn(port, {
        picture: new Uint8Array(frame),
        event: { v: 1, source: "index", file: null, plates, faces: [] },
      })
    server = await openServer(port.house, {
      ...{ host: "127.0.0.1", port: own, openBundles: false, version: "0.0.0" },
      standing: { differences: [] },
      web: port.opened.web,
    })
    provider = await startProvider(at)
    browser = await playwright.launch({
      executablePath: program!,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    })
    context = await browser.newContext()
    page = await context.newPage()
    devtools = await context.newCDPSession(page)
    await devtools.send("WebAuthn.enable")
    const added = await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        ...{ protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    })
    authenticatorId = added.authenticatorId
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
    provider.closeAllConnections()
    provider.close()
    await port.close()
  })

  test("a sign-in that nobody enrolled reads nothing, and is enrolled by two people", async () => {
    await page.goto(`${origin}/desk`)
    await picture("1-sign-in")
    await signIn("planted-cor")
    const line = (await page.textContent("#line"))!
    await picture("2-unknown")
    expect(line).not.toContain("planted-cor")
    await enroll(line)
    await signIn("planted-cor")
    await page.waitForSelector("#state")
    expect(await page.textContent("#who")).toContain(`cor ${port.people.cor.person}`)
  })

  test("a passkey is made, enrolled by two people, and approves a grant", async () => {
    const grant = await pendingGrant()
    await page.reload()
    await page.click("#make-passkey")
    const line = (await page.textContent("#line"))!
    await picture("3-passkey")
    await page.click(`text=${grant}`)
    await page.waitForSelector("#grant")
    expect(await page.$("#approve")).toBeNull()
    await enroll(line)
    await page.reload()
    await page.click(`text=${grant}`)
    await page.waitForSelector("#approve")
    await picture("4-grant")
    expect(await page.textContent("#unusual")).toContain("captures that come after the approval")
    expect(await page.locator(".silhouettes svg").count()).toBe(3)
    await page.click("#approve")
    await page.waitForSelector("td:text-is('cor')")
    expect(await page.textContent("#signed")).toContain("You have signed it")
    await picture("5-approved")
    const { terms, approvals } = (await recordOf(port.house, "grant", grant))!
    expect(approvals).toMatchObject([{ person: port.people.cor.person, office: "cor" }])
    const [row] = await port.house.ledger.newestEntries({ kind: "grant.approved", limit: 1 })
    expect((parseEntry(row!.bytes) as EntryOf<"grant.approved">).asked.passkey).not.toBeNull()
    await approve(port, { grant, role: "privacy", terms })
    expect((await recordOf(port.house, "grant", grant))!.status).toBe("approved")
  })

  test("a replayed assertion, one for other words, and one without its user verified are refused", async () => {
    const grant = await pendingGrant()
    await page.reload()
    await page.click(`text=${grant}`)
    const posted = page.waitForRequest(request => request.url().endsWith("/approvals"))
    await page.click("#approve")
    const request = await posted
    await page.waitForSelector("td:text-is('cor')")
    const kept = /^(signature|sallyport-|content-(type|digest))/
    const headers = Object.fromEntries(
      Object.entries(await request.allHeaders()).filter(([name]) => kept.test(name)),
    )
    const codeOf = async (body: string) => {
      const response = await fetch(request.url(), { method: "POST", headers, body })
      return ((await response.json()) as { code: string }).code
    }
    const body = request.postData()!
    expect(await codeOf(body)).toBe("REPLAY")
    expect(await codeOf(body.replace('"approve"', '"deny"'))).toBe("SIGNATURE_INVALID")
    const other = await pendingGrant()
    await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false })
    await page.reload()
    await page.click(`text=${other}`)
    await page.click("#approve")
    await page.waitForSelector("#told")
    expect((await recordOf(port.house, "grant", other))!.approvals).toEqual([])
  })

  test("a stolen cookie in another browser opens nothing, and is told", async () => {
    const stolen = await context.cookies()
    expect(stolen.find(cookie => cookie.name === "sallyport-session")).toMatchObject({
      httpOnly: true,
      sameSite: "Strict",
    })
    const elsewhere = await browser.newContext()
    await elsewhere.addCookies(stolen)
    const thief = await elsewhere.newPage()
    await thief.goto(`${origin}/desk`)
    await thief.waitForSelector("#sign-in")
    expect(await thief.textContent("#who")).toBe("")
    const [row] = await port.house.ledger.newestEntries({ kind: "refused", limit: 1 })
    expect(parseEntry(row!.bytes)).toMatchObject({ code: "SESSION_BOUND", person: port.people.cor.person })
    await elsewhere.close()
    await page.reload()
    await page.waitForSelector("#state")
    expect(await page.textContent("#who")).toContain(port.people.cor.person)
  })

  /** The vendor knew 18 days ago, the agency knows since now. */
  async function declared(): Promise<string> {
    const { house, people } = port
    const ago = (days: number) => new Date(house.log.clock() - days * 86_400_000).toISOString()
    const contractor = { roles: ["dhs_contractor"], zone: "America/New_York" }
    const agency = { roles: ["federal_agency", "dhs_component"], zone: "America/New_York" }
    const statement = {
      title: "the vendor's network",
      cause: { of: "organizations", organizations: [await organizationOf(port, "engineer")] },
      ...{ from: ago(1), until: null, note_commitment: null },
      discovered: [
        { party: "subcontractor", at: ago(18) },
        { party: "agency", at: ago(0) },
      ],
      facts: { elements: { pii: "yes" }, parties: { subcontractor: contractor, agency } },
    } satisfies Statement
    const caller = await callerOf(house, people.privacy, { path: "/v1/incidents", statement })
    return (await declareIncident(house, caller, { reported: false, key: "desk" })).incident
  }

  test("an incident: how long there is first, then what was missed; nothing counted is not nothing left", async () => {
    const wrong: string[] = []
    page.on("console", message => message.type() === "error" && wrong.push(message.text()))
    await page.reload()
    await page.waitForSelector("text=No open incident.")
    const incident = await declared()
    await page.reload()
    expect(await page.textContent("#incidents")).toBe("1 open incident")
    await page.click(`text=${incident}`)
    await page.waitForSelector("#incident")
    const left = (await page.textContent("#left"))!
    expect(left).toMatch(/^5[0-9] min( \d+ s)? left$/)
    await page.waitForFunction(was => document.getElementById("left")?.textContent !== was, left)
    expect(await page.textContent("#missed")).toMatch(/^1 clock is missed, by 17 d 23 h: sub/)
    expect(await page.textContent("#scope")).toContain("Nothing is counted yet")
    expect(await page.$(".plot")).toBeNull()
    expect(await page.textContent("#statement")).toContain("None was signed")
    await picture("6-incident-uncounted")
    expect(wrong).toEqual([])
  })

  test("an incident that was counted: bounds, unknowns, days, live grants that lead to the grant, the signed files", async () => {
    const wrong: string[] = []
    page.on("console", message => message.type() === "error" && wrong.push(message.text()))
    const { house, people } = port
    const captures = await takeInPlain(port, 4)
    const grant = await grantOf(port, { terms: { images: 4, releases: 8 } })
    for (const capture of captures.slice(0, 3))
      await release(house, await releaseCaller(port, { grant, capture }))
    const [{ id: incident } = { id: "" }] = await house.ledger.records("incident", { limit: 1 })
    const path = `/v1/incidents/${incident}/scopes`
    const counting = await callerOf(house, people.privacy, { path, statement: { version: 1 } })
    const { result } = await scopeIncident(house, counting, incident)
    await page.click("text=Read again")
    await page.waitForSelector(".plot")
    const cells = async (unit: string) => page.locator(`tr:has(td:text-is("${unit}")) td`).allTextContents()
    const takeable = String(result.takeable.images.at_most)
    expect(await cells("distinct images")).toEqual(["distinct images", "3", "0", takeable])
    const { at_least, at_most } = result.left.vehicles
    expect(at_most).toBeGreaterThan(at_least)
    expect((await cells("vehicles"))[1]).toBe(`${at_least} to ${at_most}`)
    const unknown = result.unknowns.filter(({ count }) => count !== 0).map(({ sentence }) => sentence)
    expect(await page.locator("#unknowns li").allTextContents()).toEqual(unknown)
    expect(await page.locator(".plot rect").count()).toBe(result.left_by.release_day.length)
    expect(await page.textContent("#live")).toMatch(
      new RegExp(`^${result.live_grants.length} live grants? lets? them take more`),
    )
    expect(result.live_grants.map(each => each.grant)).toContain(grant)
    await picture("7-incident")
    await page.click(`text=${grant}`)
    await page.waitForSelector("#grant")
    expect(await page.textContent("#grant")).toContain(`${grant}: approved`)
    const { frozen } = await state(port, incident)
    await page.click("text=Back")
    await page.click(`text=${incident}`)
    const saving = page.waitForEvent("download")
    await page.click('a[download="frozen.json"]')
    const saved = await (await saving).path()
    expect(JSON.parse(await readFile(saved, "utf8"))).toEqual(frozen)
    await page.setViewportSize({ width: 390, height: 844 })
    await picture("8-incident-narrow")
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    expect(wrong).toEqual([])
  })

  test("every approval by passkey replays from the log alone", async () => {
    const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
    expect(found.problems).toEqual([])
  })
})
