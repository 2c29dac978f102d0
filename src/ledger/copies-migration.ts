import type { Kysely } from "kysely"
import { bytesOf, integerOf } from "./reading.ts"
import type { Tables } from "./schema.ts"

/**
 * What entries lead to since migration 0006, for those that were written before it: whose copies of a capture there are, and
 * which delivery had which bytes. A migration never changes, so it says by itself what `log/effects.ts` said then.
 */
export async function fillCopies(db: Kysely<Tables>): Promise<void> {
  for (let after = -1; ;) {
    const rows = await db
      .selectFrom("log_entries")
      .selectAll()
      .where("kind", "in", ["permit", "delivered"])
      .where("index", ">", after)
      .orderBy("index")
      .limit(page)
      .execute()
    for (const row of rows) {
      const index = integerOf(row.index)
      const entry = JSON.parse(Buffer.from(bytesOf(row.bytes)).toString("utf8")) as Read
      if (entry.kind === "permit" && entry.by === null) continue
      const member =
        entry.kind === "permit"
          ? { set_name: `copies/${entry.capture}`, member: String(index).padStart(16, "0"), value: 1 }
          : { set_name: "delivered/sha256", member: entry.sha256 ?? "", value: index }
      await db
        .insertInto("members")
        .values(member)
        .onConflict(each => each.columns(["set_name", "member"]).doUpdateSet({ value: member.value }))
        .execute()
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) return
    after = integerOf(last.index)
  }
}

interface Read {
  readonly kind: string
  readonly by?: unknown
  readonly capture: string
  readonly sha256?: string
}

const page = 1000
