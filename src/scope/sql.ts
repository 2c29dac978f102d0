import Database from "libsql"
import { textOf } from "../bytes.ts"
import { assert } from "../fault.ts"
import type { Cause } from "../incident/scope.ts"
import { mostInPicture, type Answer, type BesideTexts, type SetFigures, type Windows } from "./figures.ts"
import { causes, fills, tables, tree } from "./sql-schema.ts"
import { breakdownIn, liveIn, takeableOf } from "./sql-questions.ts"

/** The little of libsql's synchronous interface that is used here. */
export interface Tables {
  prepare(text: string): {
    run(parameters: readonly unknown[]): unknown
    all(parameters: readonly unknown[]): unknown[]
  }
  exec(text: string): unknown
  close(): unknown
}

export interface SqlAsk {
  readonly cause: Cause
  readonly windows: Windows
  /** Grants that stand, as the decision table says; what they reach is found here again. */
  readonly live: readonly string[]
  readonly canaries: readonly string[]
}

/**
 * The second engine: rows in SQLite (in memory), filled by its own reading of the entries' JSON, and every figure as a query. It
 * shares with the first engine what is asked, which grants are live, and nothing else.
 */
export class Sql {
  readonly #db: Tables
  readonly #fills: ReadonlyMap<string, readonly { run(text: string, index: number): void }[]>

  constructor() {
    this.#db = new Database(":memory:") as unknown as Tables
    this.#db.exec(tables)
    const filling = (text: string) => {
      const statement = this.#db.prepare(text)
      return {
        run: (entry: string, index: number) =>
          void statement.run(text.includes("?2") ? [entry, index] : [entry]),
      }
    }
    this.#fills = new Map(Object.entries(fills).map(([kind, texts]) => [kind, texts.map(filling)]))
  }

  close(): void {
    this.#db.close()
  }

  /** Takes the next entries, in order: their bytes as the log has them. */
  take(rows: readonly { readonly index: number; readonly kind: string; readonly bytes: Uint8Array }[]): void {
    this.#db.exec("begin")
    for (const { index, kind, bytes } of rows) {
      const fill = this.#fills.get(kind)
      if (fill === undefined) continue
      const text = textOf(bytes)
      assert(text !== null, "an entry is UTF-8")
      for (const statement of fill) statement.run(text, index)
    }
    this.#db.exec("commit")
  }

  /** Finds the three sets. What stands beside their entries is brought (`beside`) before `answer` counts. */
  ask({ cause, windows, live, canaries }: SqlAsk): void {
    this.#drop()
    const { openings, refusals } = causes[cause.of] ?? { openings: "0", refusals: "0" }
    const list = JSON.stringify(Object.values(cause).find(value => Array.isArray(value)))
    this.#run("insert into canary select value from json_each(?1)", [JSON.stringify(canaries)])
    const real = "capture not in (select capture from canary)"
    this.#run(`create temp table hit as ${tree} select * from opening where ${openings} and ${real}`, [list])
    this.#run(
      `create temp table denied as ${tree} select at, capture from refusal join asked on i = refusal
         where ${refusals} and ${real} and capture in (select capture from image)`,
      [list],
    )
    const within = "at >= ?1 and at < ?2"
    this.#run(
      `create temp table gone as select hit.*, (select max(d.i) from delivery d where permit = hit.i) as delivered
         from hit where ${within}`,
      [windows.from, windows.until],
    )
    this.#exec("create temp table set_left as select distinct capture from gone")
    this.#run(
      `create temp table set_refused as select distinct capture from denied
         where ${within} and capture not in (select capture from hit)`,
      [windows.from, windows.until],
    )
    this.#run(`create temp table live (grant_id text primary key)`, [])
    this.#run("insert into live select value from json_each(?1)", [JSON.stringify(live)])
    this.#exec(`create temp table reached as ${takeableOf}`)
    this.#exec(
      `create temp table set_takeable as select distinct capture from reached
         where capture not in (select capture from set_left union all select capture from set_refused)`,
    )
  }

  /** What the log binds beside its entries, held against its digests already. */
  beside(rows: ReadonlyMap<string, BesideTexts>): void {
    const statement = this.#db.prepare("insert into beside values (?, ?, ?)")
    this.#db.exec("begin")
    for (const [capture, { headerJson, findingsJson }] of rows)
      statement.run([capture, headerJson, findingsJson])
    this.#db.exec("commit")
  }

  answer(windows: Windows): Answer {
    const narrower = windows.narrower === null ? 0 : this.#within(windows.narrower)
    const all = (text: string) => this.#db.prepare(text).all([])
    return {
      figures: {
        left: this.#set("set_left", "select capture from gone where delivered is not null"),
        refused: this.#set("set_refused", "select capture from set_refused"),
        takeable: this.#set("set_takeable", "select capture from set_takeable"),
        left_by: breakdownIn(all),
        window_30d: { narrower, wider: this.#within(windows.wider) },
        live: liveIn(all),
      },
      ids: {
        left: this.#ids("set_left"),
        refused: this.#ids("set_refused"),
        takeable: this.#ids("set_takeable"),
      },
    }
  }

  #within({ from, until }: { readonly from: string; readonly until: string }): number {
    return this.#number("select count(distinct capture) as n from hit where at >= ?1 and at < ?2", [
      from,
      until,
    ])
  }

  #ids(table: string): string[] {
    return this.#db
      .prepare(`select capture from ${table} order by capture`)
      .all([])
      .map(row => (row as { capture: string }).capture)
  }

  /** @param delivered  the captures of the set of which a copy was delivered, or all of them. */
  #set(table: string, delivered: string): SetFigures {
    this.#exec("drop table if exists one; drop table if exists plate")
    this.#exec(`create temp table one as
      select image.*, header ->> '$.crossing' as crossing, findings, image.capture in (${delivered}) as out
        from image left join beside using (capture) where image.capture in (select capture from ${table})`)
    this.#exec(`create temp table plate as
      select one.capture, coalesce(crossing, one.capture) as crossing, out, value as digest
        from one, json_each(findings, '$.plate_digests') where findings is not null`)
    const one = (what: string) => this.#number(`select ${what} as n from one`, [])
    const counted = (what: string, unknown: number) => {
      const known = one(`count(distinct ${what})`)
      return { known, known_delivered: one(`count(distinct case when out then ${what} end)`), unknown }
    }
    const headless = one("count(*) - count(crossing)")
    const isLeft = table === "set_left"
    return {
      images: one("count(*)"),
      images_delivered: one("coalesce(sum(out), 0)"),
      files: isLeft ? this.#number("select count(*) as n from gone", []) : 0,
      files_delivered: isLeft ? this.#number("select count(delivered) as n from gone", []) : 0,
      merged: counted("crossing || ' ' || kind || ' ' || lane", headless),
      crossings: counted("crossing", headless),
      plates: {
        known: this.#number("select count(distinct digest) as n from plate", []),
        known_delivered: this.#number("select count(distinct digest) as n from plate where out", []),
        unknown: one(`coalesce(sum(case when findings is null or examined is null then ${mostInPicture}
          else max(0, plates - json_array_length(findings, '$.plate_digests')) end), 0)`),
      },
      vehicles_delivered: this.#vehicles(),
      faces: one("coalesce(sum(faces), 0)"),
      without_face: one("coalesce(sum(faces = 0), 0)"),
      undetermined: one("count(*) - count(faces)"),
    }
  }

  /** Crossings joined by plates: the smallest name goes along them until none changes. */
  #vehicles(): number {
    this.#exec("drop table if exists node")
    this.#exec(
      "create temp table node as select distinct crossing, digest, crossing as name from plate where out",
    )
    this.#exec(
      "create index temp.node_crossing on node (crossing); create index temp.node_digest on node (digest)",
    )
    const names = () =>
      this.#number("select count(*) as n from (select distinct crossing, name from node)", [])
    assert(names() >= 0, "nodes are there")
    for (let changed = 1; changed > 0;) {
      changed = 0
      for (const by of ["digest", "crossing"]) {
        this.#exec("drop table if exists least")
        this.#exec(`create temp table least as select ${by} as k, min(name) as name from node group by ${by}`)
        this.#exec("create index temp.least_k on least (k)")
        this.#exec(`update node set name = l.name from least l where l.k = node.${by} and l.name < node.name`)
        changed += this.#number("select changes() as n", [])
      }
    }
    return this.#number("select count(distinct name) as n from node", [])
  }

  #drop(): void {
    for (const table of [
      "hit",
      "denied",
      "gone",
      "set_left",
      "set_refused",
      "live",
      "reached",
      "set_takeable",
    ])
      this.#exec(`drop table if exists temp.${table}`)
    this.#exec("delete from canary; delete from beside")
  }

  #exec(text: string): void {
    this.#db.exec(text)
  }

  #run(text: string, parameters: readonly unknown[]): void {
    this.#db.prepare(text).run(parameters)
  }

  #number(text: string, parameters: readonly unknown[]): number {
    const [row] = this.#db.prepare(text).all(parameters) as { n: number }[]
    assert(row !== undefined, "a count has a row")
    return row.n
  }
}
