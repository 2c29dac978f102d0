import { PassThrough } from "node:stream"
import { backTestOf, keepModel, modelsOf } from "../custody/models.ts"
import { logBackTest } from "../custody/back-test.ts"
import type { Caller } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { endMute, muteEvent, mutesOf } from "../custody/mutes.ts"
import { rulesOf, type RuleSettings } from "../custody/rules.ts"
import { Turnstile } from "../turnstile.ts"
import { statements } from "../log/shapes.ts"
import { allow } from "./door.ts"
import { faultOf } from "./problem.ts"
import { callerOf, parameter, withOpenings, type Route } from "./route.ts"

/** What the watch may judge by, and what that would have done. Putting it in force takes two people (`motions.ts`). */
export function watchRuleRoutes(house: House, settings: RuleSettings): Route[] {
  return [rulesRoute(house, settings), ...modelRoutes(house), ...backTestRoutes(house), ...muteRoutes(house)]
}

/** One reads the log at a time; what it counted is kept. */
function rulesRoute(house: House, settings: RuleSettings): Route {
  const turnstile = new Turnstile({ inside: 1, waiting: 16 })
  return {
    method: "GET",
    url: "/v1/watch/rules",
    summary: "Each rule in a sentence with its numbers, how often it fired in 30 days, and who is told",
    access: "signed",
    answer: async request => {
      await allow(house, callerOf(request), "read log")
      const data = await turnstile.pass(() => rulesOf(house, settings))
      return { object: "list", data, has_more: false, next_cursor: null }
    },
  }
}

function modelRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/watch/models",
      summary: "Models of the watch: which came along, which the log holds, and which is in force",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        return { object: "list", data: await modelsOf(house), has_more: false, next_cursor: null }
      },
    },
    {
      method: "POST",
      url: "/v1/watch/models",
      summary: "Put a model's file into the log; it judges nothing before two people put it in force",
      access: "signed",
      status: 201,
      body: statements.model,
      answer: request => keepModel(house, callerOf(request)),
    },
  ]
}

function backTestRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/watch/backtests",
      summary:
        "Try a model and thresholds over the whole log (application/x-ndjson): lines with done and of, and at the end the result or a problem",
      access: "signed",
      body: statements.backtest,
      answer: async (request, reply) => {
        const caller = callerOf(request)
        await allow(house, caller, "tune")
        const out = new PassThrough()
        out.on("error", () => undefined)
        void run(house, caller, out)
        void reply.header("content-type", "application/x-ndjson").header("cache-control", "no-store")
        return reply.send(out)
      },
    },
    {
      method: "GET",
      url: "/v1/watch/backtests/:id",
      summary: "Show which model and thresholds a back test tried, by the digest of its result",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        return backTestOf(house, parameter(request, "id"))
      },
    },
  ]
}

function muteRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/watch/mutes",
      summary: "What is not told to whom, and until when",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        return { object: "list", data: await mutesOf(house), has_more: false, next_cursor: null }
      },
    },
    {
      method: "POST",
      url: "/v1/watch/mutes",
      summary: "Do not tell a destination of an event until a time; the other destinations hear of it",
      access: "signed",
      status: 201,
      body: withOpenings(statements.mute),
      answer: request => muteEvent(house, callerOf(request)),
    },
    {
      method: "POST",
      url: "/v1/watch/mutes/:id/ending",
      summary: "Tell it again before that time",
      access: "signed",
      status: 201,
      body: statements.unmute,
      answer: request => endMute(house, callerOf(request), parameter(request, "id")),
    },
  ]
}

const every_ms = 200

/** What goes wrong once the answer has begun is its last line. */
async function run(house: House, caller: Caller, out: PassThrough): Promise<void> {
  let told_ms = 0
  const say = (line: object) => out.write(`${JSON.stringify(line)}\n`)
  const progress = (done: number, of: number) => {
    if (done < of && Date.now() - told_ms < every_ms) return
    told_ms = Date.now()
    say({ done, of })
  }
  try {
    say({ result: await logBackTest(house, caller, progress) })
  } catch (error) {
    const fault = faultOf(error)
    const { notDone: not_done, next, entry } = fault.extras
    say({ problem: { code: fault.code, detail: fault.message, not_done, next, entry } })
  }
  out.end()
}
