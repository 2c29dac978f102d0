import {
  DuckDBDataChunk,
  DuckDBInstance,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  type DuckDBConnection,
} from "@duckdb/node-api"
import type { Made } from "./scope-made.ts"

/** The same data in DuckDB, sorted as it likes it for these questions. */
export class Duck {
  readonly #connection: DuckDBConnection

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection
  }

  static async of({ rows, person }: Made): Promise<Duck> {
    const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "8GB" })
    const connection = await instance.connect()
    await connection.run("create table made (holder utinyint, day usmallint, image uinteger)")
    const { holder, day, ordinal } = rows
    const types = [UTINYINT, USMALLINT, UINTEGER]
    await filled(connection, { table: "made", types, columns: [holder, day, ordinal] })
    await connection.run("create table disclosure as select * from made order by holder, day, image")
    await connection.run("drop table made")
    await connection.run("create table image (image uinteger, person uinteger)")
    const ordinals = Uint32Array.from(person, (_, image) => image)
    await filled(connection, { table: "image", types: [UINTEGER, UINTEGER], columns: [ordinals, person] })
    return new Duck(connection)
  }

  /** Distinct images and people. `isJoined`: both counted over the join; else images made distinct first. */
  async ask(of: {
    holder: number | null
    from: number
    until: number
    isJoined: boolean
  }): Promise<[number, number]> {
    const where = `day >= ${of.from} and day < ${of.until}${of.holder === null ? "" : ` and holder = ${of.holder}`}`
    const text = of.isJoined
      ? `select count(distinct d.image), count(distinct person) from disclosure d join image using (image) where ${where}`
      : `select count(*), count(distinct person) from (select distinct image from disclosure where ${where}) join image using (image)`
    const [row] = (await this.#connection.runAndReadAll(text)).getRows()
    return [Number(row?.[0]), Number(row?.[1])]
  }

  async version(): Promise<string> {
    return String((await this.#connection.runAndReadAll("select version()")).getRows()[0]?.[0])
  }

  close(): void {
    this.#connection.closeSync()
  }
}

type Column = Made["rows"]["holder"]

const chunk_rows = 2048

async function filled(
  connection: DuckDBConnection,
  of: {
    readonly table: string
    readonly types: Parameters<typeof DuckDBDataChunk.create>[0]
    readonly columns: readonly Column[]
  },
): Promise<void> {
  const appender = await connection.createAppender(of.table)
  const length = of.columns[0]?.length ?? 0
  for (let at = 0; at < length; at += chunk_rows) {
    const chunk = DuckDBDataChunk.create(of.types, Math.min(chunk_rows, length - at))
    of.columns.forEach((column, n) =>
      chunk.setColumnValues(n, Array.from(column.subarray(at, at + chunk_rows))),
    )
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
}
