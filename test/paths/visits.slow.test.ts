import { afterAll, beforeAll, expect, test } from "vitest"
import { parseEntry } from "../../src/log/kinds.ts"
import { openHouse } from "../../src/sallyport.ts"
import { certificate, until } from "../receivers.ts"
import { clientFor } from "../server.ts"
import { openStory, take, visit, type Story } from "../visits.ts"

/** The 2019 shape, end to end; `npm run bench:visits` runs it with all 38,000 images and measures. */

const needsTls = certificate === null ? " (skipped: no openssl to make a certificate with)" : ""
const visits = 5
const imagesEach = 400

let story: Story
beforeAll(async () => {
  if (certificate !== null) story = await openStory()
})
afterAll(async () => {
  if (certificate !== null) await story.close()
})

test.skipIf(certificate === null)(
  `five visits for ${visits * imagesEach} images: none outside the grant leaves, he is suspended, and the agency hears of it by webhook, mail and syslog${needsTls}`,
  async () => {
    const { port, server, grant, listed, hook, siem, mail } = story
    const engineer = clientFor(port.people.engineer, server.url, "sallyport.example/test")
    await take(engineer, { grant, capture: listed[0]! })
    for (let nth = 0; nth < visits; nth += 1) {
      const { left, refused } = await visit(story, imagesEach)
      expect(left).toEqual([])
      expect([...refused.values()].reduce((sum, times) => sum + times, 0)).toBe(imagesEach + 1)
    }
    // What his grant names does not leave any more either.
    await expect(take(engineer, { grant, capture: listed[1]! })).rejects.toMatchObject({
      code: expect.stringMatching(/^(PERSON_SUSPENDED|RATE)$/) as string,
    })
    const { person } = port.people.engineer
    const texts = () => [
      hook.received.map(({ body }) => body),
      siem.received,
      mail.received.map(({ text }) => text),
    ]
    const isTold = (type: string, all: readonly string[]) => all.some(text => text.includes(type))
    await until(
      () => texts().every(all => isTold("watch.suspended", all)),
      "all three hear of the suspension",
    )
    for (const all of texts()) {
      expect(isTold("refused.budget", all)).toBe(true)
      expect(isTold(person, all)).toBe(true)
      expect(all.join("")).not.toMatch(/Planted|SP7X042/)
    }
    await server.kill("SIGTERM")
    const { house, fsck, close } = await openHouse({ data: port.data })
    const { size } = await house.log.head()
    const entries = (await house.log.entries(0, size)).map(row => parseEntry(row.bytes)!)
    const permits = entries.filter(entry => entry.kind === "permit" && entry.by?.person === person)
    expect(permits.map(entry => (entry.kind === "permit" ? entry.capture : ""))).toEqual([listed[0]])
    expect(fsck.problems).toEqual([])
    await close()
  },
)
