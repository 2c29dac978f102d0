import { expect, test } from "vitest"
import { Fault } from "../fault.ts"
import { Answering } from "./answering.ts"
import type { Ask } from "./client.ts"
import type { Context } from "./context.ts"

/** A vault that holds everything from the `from`-th request on until it is answered, over HTTP's own answers. */
function vault(from: number) {
  const sent: string[] = []
  let answers = 0
  const client = {
    send: (ask: Ask) => {
      sent.push(ask.path)
      if (sent.length > from && answers === 0) return Promise.reject(new Fault("WATCH_STEP_UP", "why"))
      return Promise.resolve(new Response(ask.path))
    },
    json: (ask: Ask) => {
      sent.push(ask.path)
      answers += 1
      return Promise.resolve({ entry: 7, names: ask.names })
    },
  }
  const voice = { json: false, quiet: true }
  const context = { client, voice, globals: { ...voice, server: "" }, id: "" } as unknown as Context
  return { context, sent, answers: () => answers }
}

const release = (nth: number): Ask => ({ method: "POST", path: `/v1/releases/${nth}`, statement: {} })

test("however many requests are held at once, the person is asked once and each is sent again", async () => {
  const { context, sent, answers } = vault(2)
  let asked = 0
  const answering = new Answering(context, () => Promise.resolve(`reason number ${(asked += 1)}`))
  const answered = await Promise.all(Array.from({ length: 8 }, (_, nth) => answering.send(release(nth))))
  expect(answered.every(response => response.ok)).toBe(true)
  expect([asked, answers()]).toEqual([1, 1])
  expect(sent.filter(path => path.startsWith("/v1/releases"))).toHaveLength(8 + 6)
})

test("where nobody can be asked, what was held stays refused, and nothing is answered", async () => {
  const { context, answers } = vault(0)
  const answering = new Answering(context, () => Promise.resolve(null))
  await expect(answering.send(release(0))).rejects.toMatchObject({ code: "WATCH_STEP_UP" })
  expect(answers()).toBe(0)
})
