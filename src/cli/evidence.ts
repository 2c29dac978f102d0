import type { Command } from "commander"
import { createWriteStream } from "node:fs"
import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises"
import { basename, join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createHash } from "node:crypto"
import { fromBase64, textOf, utf8 } from "../bytes.ts"
import { statementPdf } from "../custody/statement-pdf.ts"
import type { Made } from "../custody/statements.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { numeral } from "../incident/statement.ts"
import { readHeadOver } from "../log/reading.ts"
import { archived, unarchived, type Member, type Parts } from "../pack/archive.ts"
import type { Frozen } from "../pack/frozen.ts"
import { packMembers } from "../pack/make.ts"
import { checkPack, type PackVerdict } from "../pack/verify.ts"
import { writeWhole } from "../whole-file.ts"
import type { Client } from "./client.ts"
import { contextOf, type Context } from "./context.ts"
import { incidentAt, pathOf, resultAt } from "./incident-asking.ts"
import { readPolicy } from "./receipt.ts"
import { answer, tell } from "./say.ts"
import { sourceOf } from "./source.ts"

/** incident statement, pack, verify-pack. */
export function evidenceCommands(incident: Command): void {
  incident
    .command("statement <id>")
    .description("write statement and letters of the newest scope; two people then sign their digests")
    .requiredOption("--contact <text>", "where people ask: an address, a telephone number")
    .requiredOption("--check-url <url>", "where a letter's code is checked: https://…/notice")
    .option("--happened <sentence>", "what happened, in one sentence; without it that is said as unknown")
    .option("--doing <sentence>", "what is done about it, in one sentence")
    .requiredOption("--out <folder>", "machine file, three texts, PDF, letters")
    .action(async (id: string, options: StatementOptions, self: Command) => {
      await statement(await contextOf(self), id, options)
    })
  incident
    .command("pack <id>")
    .description("one archive that an inspector verifies offline")
    .requiredOption("--policy <file>", "as you pinned it")
    .requiredOption("--out <file>", "such as pack.tar")
    .option("--from <where>", "read the log from a mirror or a URL; without it the server")
    .option("--without-log", "entries concerned alone; then nobody can see from it that none was left out")
    .action(async (id: string, options: PackOptions, self: Command) => {
      await makePack(await contextOf(self), id, options)
    })
  incident
    .command("verify-pack <file>")
    .description("verify a pack with no server: signatures, proofs, digests, and what left counted again")
    .requiredOption("--policy <file>", "as you pinned it")
    .option("--from <where>", "for a pack without the log: a mirror, or the URL of a log")
    .action(async (file: string, options: VerifyOptions, self: Command) => {
      await verifyPack(await contextOf(self), file, options)
    })
}

interface StatementOptions {
  readonly contact: string
  readonly checkUrl: string
  readonly happened?: string
  readonly doing?: string
  readonly out: string
}

type Sent = Omit<Made, "files"> & {
  readonly files: readonly { readonly name: string; readonly base64: string }[]
}

async function statement(context: Context, id: string, options: StatementOptions): Promise<void> {
  const { client, voice } = context
  const { contact, checkUrl, happened = null, doing = null, out } = options
  const made = await client.json<Sent>({
    ...{ method: "POST", path: pathOf(id, "statements") },
    statement: { contact, check_url: checkUrl, happened, doing },
  })
  await mkdir(out, { recursive: true })
  for (const { name, bytes } of decoded(made.files)) await writeWhole(join(out, name), bytes)
  const { letters } = made.frozen
  if (letters !== null) {
    await download(
      context,
      `${pathOf(id, "letters")}?format=ndjson`,
      join(out, "letters.ndjson"),
      letters.ndjson_sha256,
    )
    await download(
      context,
      `${pathOf(id, "letters")}?format=csv`,
      join(out, "letters.csv"),
      letters.csv_sha256,
    )
  }
  const signed = letters === null ? "" : ` --letters ${join(out, "letters.ndjson")}`
  const { files, ...rest } = made
  answer(voice, { ...rest, out, files: files.map(({ name }) => name) }, [
    `${files.length} files in ${out}; ${letters === null ? "no letter: no image left" : `${numeral(letters.count)} letters`}`,
    `    what two people sign: SHA-256 of frozen.json, ${made.statement_sha256}`,
  ])
  tell(
    voice,
    "read all of it, every line of law with counsel; then one proposes and a person of another office signs:",
  )
  tell(voice, `  sallyport incident sign ${id} --statement ${join(out, "frozen.json")}${signed}`)
}

function decoded(files: Sent["files"]): readonly Member[] {
  return files.map(({ name, base64 }) => {
    const bytes = fromBase64(base64)
    if (bytes === null || basename(name) !== name)
      throw new Fault("INVALID", "the server sent files of a strange form")
    return { name, bytes }
  })
}

/** A file of any size, held against the digest that is to be signed. */
async function download({ client }: Context, path: string, file: string, sha256: string): Promise<void> {
  const response = await client.send({ method: "GET", path })
  const digest = createHash("sha256")
  const counted = async function* () {
    for await (const chunk of response.body ?? []) {
      digest.update(chunk as Uint8Array)
      yield chunk as Uint8Array
    }
  }
  await written(file, counted())
  if (digest.digest("hex") === sha256) return
  await rm(file)
  throw new Fault("CONFLICT", "the letters changed while they were written", { next: "the same again" })
}

/** Never half a file under its name. */
async function written(file: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const part = `${file}.part`
  try {
    await pipeline(Readable.from(bytes), createWriteStream(part, { mode: 0o600 }))
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

interface PackOptions {
  readonly policy: string
  readonly out: string
  readonly from?: string
  readonly withoutLog?: true
}

async function makePack(context: Context, id: string, options: PackOptions): Promise<void> {
  const { client, voice } = context
  const policy = await readPolicy(options.policy)
  const held = await incidentAt(client, id)
  const result = await resultAt(client, held)
  if (result === null || held.scoped === null)
    throw new Fault("CONFLICT", "nothing was counted that a pack could show", {
      next: `sallyport incident scope ${id}`,
    })
  const source = await sourceOf(context, options.from)
  const newest = Math.max(held.scoped.entry, held.signed?.entry ?? 0) + 1
  const head = await readHeadOver(source, newest, { policy, verify: verifyEd25519 })
  if (head.size < newest)
    throw new Fault(
      "LOG_UNWITNESSED",
      `the checkpoint has ${head.size} entries; the incident's newest is ${newest - 1}`,
    )
  const sent =
    held.signed === null
      ? []
      : (await client.json<Pick<Sent, "files">>({ method: "GET", path: pathOf(id, "statement") })).files
  const log = options.withoutLog === true ? "none" : "whole"
  const statement = decoded(sent)
  const plan = await planFor(client, statement)
  const digest = createHash("sha256")
  let size = 0
  const members = packMembers({
    ...{ source, head, result, log, statement, plan },
    policy: await client.text({ method: "GET", path: "/log/policy" }),
  })
  const counted = async function* () {
    for await (const chunk of archived(members)) {
      digest.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await written(options.out, counted())
  const made = { file: options.out, size_bytes: size, sha256: digest.digest("hex"), log, entries: head.size }
  answer(voice, { ...made, signed: held.signed !== null }, [
    `${options.out}  ${numeral(size)} bytes, SHA-256 ${made.sha256}`,
    log === "whole"
      ? `    with all ${numeral(head.size)} entries of the log: whoever has it can count again`
      : "    without the log: it proves what is in it, not that nothing was left out",
    ...(held.signed === null ? ["    without a statement: none was signed by two people yet"] : []),
  ])
  tell(
    voice,
    `give away the SHA-256 by another way; verify:  sallyport incident verify-pack ${options.out} --policy ${options.policy}`,
  )
}

/** The plan of the linkage whose estimate the signed statement states; `null` where it states none. */
async function planFor(client: Client, statement: readonly Member[]): Promise<Uint8Array | null> {
  const frozen = statement.find(({ name }) => name === "frozen.json")?.bytes
  const { estimated = null } = JSON.parse(textOf(frozen ?? new Uint8Array()) || "{}") as Partial<Frozen>
  if (estimated === null) return null
  const path = `/v1/linkages/${encodeURIComponent(estimated.linkage)}/plan`
  return utf8(await client.text({ method: "GET", path }))
}

interface VerifyOptions {
  readonly policy: string
  readonly from?: string
}

async function verifyPack(context: Context, file: string, options: VerifyOptions): Promise<void> {
  const policy = await readPolicy(options.policy)
  const log = options.from === undefined ? null : await sourceOf(context, options.from)
  const handle = await open(file).catch((cause: unknown) => {
    throw new Fault("NOT_FOUND", `${file} cannot be read`, { cause })
  })
  try {
    if (!(await handle.stat()).isFile())
      throw new Fault("NOT_FOUND", `${file} is no file: a pack is read where it lies, from any place in it`)
    const members = await unarchived(await partsOf(handle))
    const verdict = await checkPack({ members, policy, verify: verifyEd25519, log, pdf: statementPdf })
    answer(context.voice, { file, ...verdict }, linesOf(file, verdict))
    if (!verdict.holds) process.exitCode = 7
  } finally {
    await handle.close()
  }
}

/** A file of which any part is read: no more of a pack is in memory than what is being judged. */
async function partsOf(handle: FileHandle): Promise<Parts> {
  const { size } = await handle.stat()
  return {
    size_bytes: size,
    read: async (at, length) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)))
      let done = 0
      for (let got = 1; done < bytes.length && got > 0; done += got)
        got = (await handle.read(bytes, done, bytes.length - done, at + done)).bytesRead
      return bytes.subarray(0, done)
    },
  }
}

function linesOf(file: string, { checks, holds, notChecked, manifest, recounted }: PackVerdict): string[] {
  const lines = checks.map(({ name, member, why }) =>
    why === null ? `  OK      ${name}` : `  FAILED  ${name}\n          ${member}: ${why}`,
  )
  if (!holds) return [`FAILED  ${file}`, ...lines]
  const counted =
    recounted === null
      ? []
      : [`  counted again: images ${boundsOf(recounted.images)}, files ${boundsOf(recounted.files)}`]
  return [
    `OK  ${file}, incident ${manifest?.incident ?? ""}, ${numeral(manifest?.checkpoint.size ?? 0)} entries`,
    ...lines,
    ...counted,
    ...notChecked.map(what => `  NOT CHECKED  ${what}`),
  ]
}

function boundsOf({ at_least, at_most }: { readonly at_least: number; readonly at_most: number }): string {
  return at_least === at_most ? numeral(at_least) : `${numeral(at_least)} to ${numeral(at_most)}`
}
