import type { Kysely, Selectable } from "kysely"
import { assert } from "../fault.ts"
import type { Backlog, Delivery, HeldMessage, Reading } from "./ledger.ts"
import type { MessageTable } from "./messages-table.ts"
import { integerOf } from "./reading.ts"
import type { Tables } from "./schema.ts"

type MessageReading = Pick<
  Reading,
  | ("message" | "messages" | "newestMessages" | "addMessage" | "dueDestinations" | "leaseMessages")
  | ("settleMessage" | "releaseLeases" | "resendMessage" | "backlog")
>

const maybe = (value: number | null) => (value === null ? null : integerOf(value))

function held(row: Selectable<MessageTable>): HeldMessage {
  const { id, destination, subject, event, body, state, lease, failure } = row
  return {
    ...{ id, destination, subject, event, body, lease, failure },
    state: state as Delivery["state"],
    entry: maybe(row.entry),
    due_ms: integerOf(row.due_ms),
    attempts: integerOf(row.attempts),
    next_ms: integerOf(row.next_ms),
    since_ms: integerOf(row.since_ms),
    leasedUntil_ms: integerOf(row.leased_until_ms),
    settled_ms: maybe(row.settled_ms),
    failed_ms: maybe(row.failed_ms),
  }
}

/** Messages and their deliveries, written once for both engines. */
export function messageReading(db: Kysely<Tables>): MessageReading {
  return { ...messageLists(db), ...leasing(db), ...settling(db) }
}

function messageLists(
  db: Kysely<Tables>,
): Pick<MessageReading, "message" | "messages" | "newestMessages" | "backlog"> {
  return {
    message: async id => {
      const row = await db.selectFrom("messages").selectAll().where("id", "=", id).executeTakeFirst()
      return row === undefined ? null : held(row)
    },
    messages: async ({ after, limit }) => {
      assert(limit <= 1000, "at most 1,000 messages a page")
      let query = db.selectFrom("messages").selectAll().orderBy("id").limit(limit)
      if (after !== undefined) query = query.where("id", ">", after)
      return (await query.execute()).map(held)
    },
    newestMessages: async ({ destination, before, limit }) => {
      assert(limit <= 200, "at most 200 messages a page")
      let query = db.selectFrom("messages").selectAll().where("destination", "=", destination)
      if (before !== undefined) query = query.where("id", "<", before)
      return (await query.orderBy("id", "desc").limit(limit).execute()).map(held)
    },
    backlog: (destination, now_ms) => backlogOf(db, destination, now_ms),
  }
}

async function backlogOf(db: Kysely<Tables>, destination: string, now_ms: number): Promise<Backlog> {
  const own = db.selectFrom("messages").where("destination", "=", destination)
  const waiting = await own
    .where("state", "=", "waiting")
    .where("due_ms", "<=", now_ms)
    .select(({ fn }) => [fn.countAll<number>().as("count"), fn.min<number | null>("due_ms").as("oldest")])
    .executeTakeFirstOrThrow()
  const abandoned = await own
    .where("state", "=", "abandoned")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow()
  const delivered = await own
    .where("state", "=", "delivered")
    .select(({ fn }) => fn.max<number | null>("settled_ms").as("at"))
    .executeTakeFirstOrThrow()
  const failed = await own
    .where("failed_ms", "is not", null)
    .select(["failed_ms", "failure"])
    .orderBy("failed_ms", "desc")
    .limit(1)
    .executeTakeFirst()
  return {
    waiting: integerOf(waiting.count),
    abandoned: integerOf(abandoned.count),
    oldest_ms: maybe(waiting.oldest),
    delivered_ms: maybe(delivered.at),
    failed_ms: maybe(failed?.failed_ms ?? null),
    failure: failed?.failure ?? null,
  }
}

function leasing(
  db: Kysely<Tables>,
): Pick<MessageReading, "dueDestinations" | "leaseMessages" | "releaseLeases"> {
  return {
    dueDestinations: async now_ms => {
      const rows = await db
        .selectFrom("messages")
        .select("destination")
        .distinct()
        .where("state", "=", "waiting")
        .where("next_ms", "<=", now_ms)
        .where("leased_until_ms", "<=", now_ms)
        .execute()
      return rows.map(({ destination }) => destination)
    },
    leaseMessages: async ({ destination, lease, now_ms, until_ms, limit }) => {
      assert(limit <= 200, "at most 200 messages are leased at once")
      const due = await db
        .selectFrom("messages as m")
        .selectAll("m")
        .where("m.destination", "=", destination)
        .where("m.state", "=", "waiting")
        .where("m.next_ms", "<=", now_ms)
        .where("m.leased_until_ms", "<=", now_ms)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("messages as e")
                .select("e.id")
                .whereRef("e.destination", "=", "m.destination")
                .whereRef("e.subject", "=", "m.subject")
                .where("e.state", "=", "waiting")
                .whereRef("e.id", "<", "m.id"),
            ),
          ),
        )
        .orderBy("m.id")
        .limit(limit)
        .execute()
      const taken: HeldMessage[] = []
      for (const row of due) {
        const isOurs = await leaseOne(db, row, { lease, now_ms, until_ms })
        const attempts = integerOf(row.attempts) + 1
        if (isOurs) taken.push({ ...held(row), lease, leasedUntil_ms: until_ms, attempts })
      }
      return taken
    },
    releaseLeases: async () => {
      await db
        .updateTable("messages")
        .set({ leased_until_ms: 0, lease: "" })
        .where("state", "=", "waiting")
        .execute()
    },
  }
}

/** Whoever's update comes first has it: the other's finds the row leased. */
async function leaseOne(
  db: Kysely<Tables>,
  row: Selectable<MessageTable>,
  of: { readonly lease: string; readonly now_ms: number; readonly until_ms: number },
): Promise<boolean> {
  const result = await db
    .updateTable("messages")
    .set(({ eb }) => ({
      lease: of.lease,
      leased_until_ms: of.until_ms,
      attempts: eb("attempts", "+", 1),
    }))
    .where("id", "=", row.id)
    .where("state", "=", "waiting")
    .where("next_ms", "<=", of.now_ms)
    .where("leased_until_ms", "<=", of.now_ms)
    .executeTakeFirst()
  return integerOf(result.numUpdatedRows) === 1
}

function settling(
  db: Kysely<Tables>,
): Pick<MessageReading, "addMessage" | "settleMessage" | "resendMessage"> {
  return {
    addMessage: async row => {
      const delivery = {
        state: "waiting",
        attempts: 0,
        next_ms: row.due_ms,
        since_ms: row.due_ms,
        lease: "",
        leased_until_ms: 0,
      }
      const query = db
        .insertInto("messages")
        .values({ ...row, ...delivery, settled_ms: null, failed_ms: null, failure: null })
        .onConflict(oc => oc.column("id").doNothing())
      return integerOf((await query.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) === 1
    },
    settleMessage: async ({ id, lease }, { state, next_ms, settled_ms, failed_ms, failure }) => {
      const isFailed = failed_ms === null ? {} : { failed_ms, failure }
      const result = await db
        .updateTable("messages")
        .set({ state, next_ms, settled_ms, ...isFailed, lease: "", leased_until_ms: 0 })
        .where("id", "=", id)
        .where("lease", "=", lease)
        .where("state", "=", "waiting")
        .executeTakeFirst()
      return integerOf(result.numUpdatedRows) === 1
    },
    resendMessage: async (id, now_ms) => {
      const again = {
        state: "waiting",
        attempts: 0,
        next_ms: now_ms,
        since_ms: now_ms,
        lease: "",
        leased_until_ms: 0,
      }
      const result = await db
        .updateTable("messages")
        .set({ ...again, settled_ms: null })
        .where("id", "=", id)
        .executeTakeFirst()
      return integerOf(result.numUpdatedRows) === 1
    },
  }
}
