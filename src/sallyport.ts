import { randomBytes } from "node:crypto"
import { mkdir, open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { parseConfig, pathIn, readConfig, type Config } from "./config.ts"
import { readPlacedPacks, usePacks } from "./custody/clock-packs.ts"
import type { House, Pictures } from "./custody/house.ts"
import type { Web } from "./http/web.ts"
import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { recordOf } from "./custody/caller.ts"
import { wanting } from "./ledger/ledger.ts"
import { newSeed, signerOf, verifyEd25519 } from "./ed25519.ts"
import { base64, utf8 } from "./bytes.ts"
import { Fault } from "./fault.ts"
import { commitment } from "./grant/request.ts"
import { newId } from "./ids.ts"
import type { Ledger } from "./ledger/ledger.ts"
import { openPostgres } from "./ledger/postgres.ts"
import { openSqlite } from "./ledger/sqlite.ts"
import { fsck, type Fsck } from "./log/fsck.ts"
import { schemaDigest } from "./log/kinds.ts"
import { Log, type LogOptions } from "./log/log.ts"
import type { State } from "./log/state.ts"
import { openDisk } from "./objects/disk.ts"
import type { ObjectStore } from "./objects/objects.ts"
import { openS3 } from "./objects/s3.ts"
import { openDecoder } from "./picture/decoder.ts"
import { openTracer } from "./picture/tracer.ts"
import { openDescriber } from "./reading/describer.ts"
import { openLooker } from "./reading/looker.ts"
import { readOwnModel } from "./reading/model-file.ts"
import { newIdentity, type Mode } from "./seal/recipient.ts"
import { parsePolicy } from "./tlog/policy.ts"
import { Gate, type CheckpointMemory } from "./vault/gate.ts"
import { everyAddress, type OutboxSettings } from "./outbox/settings.ts"
import { openText, rootKey, sealText, type RootKey } from "./vault/keys.ts"
import { version as release } from "./version.ts"
import { sha256Hex, Vault } from "./vault/vault.ts"
import { writeWhole } from "./whole-file.ts"

export interface InitOptions {
  /** The data folder; made if it is not there, and refused if a vault is in it. */
  readonly data: string
  readonly origin: string
  readonly mode: Mode
  readonly agency: string
  /** The first custodian's name; only a commitment to it is logged. */
  readonly custodianName: string
  /** An age recipient; without it an escrow identity is made and given back, to be kept offline. */
  readonly escrowRecipient?: string
  readonly settings?: Partial<Config>
}

export interface Initialized {
  readonly organization: string
  readonly person: string
  /** The custodian's secret seed, 32 bytes: written to a key file by the caller, nowhere else. */
  readonly custodianSeed: Uint8Array
  readonly custodianKey: string
  /** The escrow identity that was made, or `null`. */
  readonly escrowIdentity: string | null
}

export interface Opened {
  readonly house: House
  readonly config: Config
  /** What the recomputation at the start found. */
  readonly fsck: Fsck
  /** What browsers need, or `null` where the configuration names no page. */
  readonly web: Web | null
  /** How this vault tells its destinations. */
  readonly outbox: OutboxSettings
  close(): Promise<void>
}

/** Makes a vault: keys, configuration and the log's first entry. @throws Fault CONFLICT where one stands. */
export async function initVault(options: InitOptions): Promise<Initialized> {
  const { data, origin, mode } = options
  await mkdir(join(data, "keys"), { recursive: true, mode: 0o700 })
  const escrow = options.escrowRecipient === undefined ? await newIdentity(mode) : null
  const escrow_recipient = options.escrowRecipient ?? escrow?.recipient
  const config = parseConfig({ origin, mode, escrow_recipient, ...options.settings })
  await writeNew(join(data, "config.json"), `${JSON.stringify(config, null, 2)}\n`)
  await writeNew(join(data, "keys", "log.key"), `${base64(newSeed())}\n`)
  await writeNew(join(data, "keys", "root.key"), `${base64(randomBytes(32))}\n`)
  const ledger = await openLedger(data, config)
  try {
    return {
      ...(await genesis(ledger, { ...options, config, data })),
      escrowIdentity: escrow?.identity ?? null,
    }
  } finally {
    await ledger.close()
  }
}

async function genesis(
  ledger: Ledger,
  { data, config, agency, custodianName }: InitOptions & { readonly config: Config },
): Promise<Omit<Initialized, "escrowIdentity">> {
  const log = await openLog(ledger, { data, origin: config.origin, clock: Date.now })
  const root = rootKey(await readSecret(join(data, "keys", "root.key")))
  const seed = newSeed()
  const [organization, person, salt] = [newId("org"), newId("per"), randomBytes(32)]
  const key = base64(signerOf(seed).publicKey)
  await log.append({
    wanted: wanting({}),
    draft: () => {
      return {
        entry: {
          kind: "genesis",
          origin: config.origin,
          mode: config.mode,
          escrow_recipient_sha256: sha256Hex(new TextEncoder().encode(config.escrow_recipient)),
          canary_key_sha256: root.canaries.commitment,
          organization,
          organization_name: agency,
          person,
          office: "custodian",
          key,
          name_commitment: commitment("name", salt, custodianName),
        },
        openings: [{ field: "name", salt, value: sealText(root, "name", custodianName) }],
      }
    },
  })
  return { organization, person, custodianSeed: seed, custodianKey: key }
}

/**
 * Opens a vault: the constructors, in order. Follows the log as the vault and recomputes the ledger from it; a difference
 * is in `fsck.problems`, and the doors stop what leaves.
 */
export async function openHouse(options: {
  readonly data: string
  readonly clock?: () => number
  readonly progress?: (done: number, of: number) => void
  /** Told of what somebody must hear of at once. */
  readonly told?: LogOptions["told"]
}): Promise<Opened> {
  const { data } = options
  const clock = options.clock ?? Date.now
  const config = await readConfig(data)
  const packs = await readPlacedPacks(config.packs === null ? null : pathIn(data, config.packs))
  const ledger = await openLedger(data, config)
  const objects = await openObjects(data, config)
  const told = options.told === undefined ? {} : { told: options.told }
  const log = await openLog(ledger, { data, origin: config.origin, clock, config, ...told })
  const rootSecret = await readSecret(join(data, "keys", "root.key"))
  const root = rootKey(rootSecret)
  const web = await readWeb(data, config, rootSecret)
  const keys = { ledger, root, mode: config.mode, escrowRecipient: config.escrow_recipient }
  const memory = checkpointFile(join(data, "vault", "checkpoint"))
  const gate = new Gate({ log, ledger, memory, clock, verify: verifyEd25519 })
  await gate.start().catch((error: unknown) => {
    if (gate.stopped === null) throw error
  })
  const progress = options.progress === undefined ? {} : { progress: options.progress }
  const found = await fsck(ledger, {
    origin: config.origin,
    verify: verifyEd25519,
    openText: (field, sealed) => openText(root, field, sealed),
    ...progress,
  })
  const pictures = await openPictures(data, config)
  const vault = new Vault({ ...keys, log, objects, gate })
  const house: House = { ledger, objects, log, vault, pictures, keys }
  usePacks(house, packs)
  if (found.problems.length === 0 && gate.stopped === null) await noteSchema(house)
  await log.witnesses?.start()
  const close = async () => {
    await log.witnesses?.close()
    await pictures.close()
    await ledger.close()
  }
  const outbox = await readOutbox(data, config, { root, clock })
  return { house, config, fsck: found, web, outbox, close }
}

/** Children that decode, and children that look. @throws Fault MODEL where the operator's face model cannot be read. */
async function openPictures(data: string, config: Config): Promise<Pictures> {
  const faceModel = config.face_model === null ? null : pathIn(data, config.face_model)
  if (faceModel !== null) await readOwnModel(faceModel)
  const decoder = openDecoder({
    processes: config.decoder_processes,
    timeout_ms: config.decoder_timeout_ms,
    memory_mb: config.decoder_memory_mb,
  })
  const looker = openLooker({
    processes: config.finder_processes,
    timeout_ms: config.finder_timeout_ms,
    memory_mb: config.finder_memory_mb,
  })
  const describer = openDescriber({
    processes: 1,
    timeout_ms: config.finder_timeout_ms,
    memory_mb: config.finder_memory_mb,
  })
  const tracer = openTracer()
  return {
    keepRegions: (...asked) => decoder.keepRegions(...asked),
    look: job => looker.look(job),
    tracer,
    describer,
    markPolicy: config.mark_strength,
    finders: { region: config.plate_region, faceModel, mostWaiting: config.backlog_captures },
    close: async () => {
      await Promise.all([decoder.close(), looker.close(), tracer.close(), describer.close()])
    },
  }
}

async function readWeb(data: string, config: Config, rootSecret: Uint8Array): Promise<Web | null> {
  const { web_origin: origin, sign_in: signIn } = config
  if (origin === null) return null
  const derived = (name: string) => hkdf(sha256, rootSecret, undefined, utf8(`sallyport-${name}/v1`), 32)
  const file = signIn?.client_secret_file ?? null
  const clientSecret = file === null ? null : (await readFile(pathIn(data, file), "utf8")).trim()
  return {
    origin,
    cookieKey: derived("cookies"),
    subjectKey: derived("subjects"),
    signIn: signIn === null ? null : { issuer: signIn.issuer, clientId: signIn.client_id, clientSecret },
  }
}

async function readOutbox(
  data: string,
  config: Config,
  { root, clock }: { readonly root: RootKey; readonly clock: () => number },
): Promise<OutboxSettings> {
  const secret = async (file: string) => (await readFile(pathIn(data, file), "utf8")).trim()
  const { smtp, outbox_token_files, outbox_ca, outbox_timeout_s } = config
  const password = smtp?.password_file == null ? null : await secret(smtp.password_file)
  const tokens: Record<string, string> = {}
  for (const [name, file] of Object.entries(outbox_token_files)) tokens[name] = await secret(file)
  return {
    ...{ origin: config.origin, version: release, tokens, clock, lookup: everyAddress, random: Math.random },
    smtp: smtp === null ? null : { ...smtp, password },
    networks: config.outbox_networks,
    ca: outbox_ca === null ? null : await secret(outbox_ca),
    folder: pathIn(data, config.outbox_folder),
    signerFor: destination => root.webhookSigner(destination),
    timeout_ms: 1000 * outbox_timeout_s,
    retryFirst_ms: 1000 * config.outbox_retry_first_s,
    retryMost_ms: 1000 * config.outbox_retry_most_s,
  }
}

/** Another closed list of entry kinds than the log last named is itself an entry. */
async function noteSchema(house: House): Promise<void> {
  const held = await recordOf(house, "schema", "schema")
  if (held?.schema_sha256 === schemaDigest) return
  const wanted = wanting({ records: [{ kind: "schema", id: "schema" }] })
  // Another server that starts now may have named it meanwhile.
  const isNamed = (state: State) => state.record("schema", "schema")?.schema_sha256 === schemaDigest
  const named = new Fault("CONFLICT", "the schema is named already")
  const draft = (state: State) => {
    if (isNamed(state)) throw named
    return { entry: { kind: "schema.changed" as const, schema_sha256: schemaDigest, release } }
  }
  await house.log.append({ wanted, draft }).catch((error: unknown) => {
    if (error !== named) throw error
  })
}

export async function openLedger(data: string, { ledger }: Config): Promise<Ledger> {
  if ("sqlite" in ledger) return openSqlite({ file: pathIn(data, ledger.sqlite) })
  return openPostgres({ url: (await readFile(pathIn(data, ledger.postgres_url_file), "utf8")).trim() })
}

export async function openObjects(data: string, { objects }: Config): Promise<ObjectStore> {
  if ("disk" in objects) return openDisk({ folder: pathIn(data, objects.disk) })
  const { endpoint, bucket, region, access_key_file, secret_key_file } = objects.s3
  const access_key = (await readFile(pathIn(data, access_key_file), "utf8")).trim()
  const secret_key = (await readFile(pathIn(data, secret_key_file), "utf8")).trim()
  return openS3({ endpoint, bucket, region, access_key, secret_key })
}

async function openLog(
  ledger: Ledger,
  options: { data: string; origin: string; clock: () => number; config?: Config; told?: LogOptions["told"] },
): Promise<Log> {
  const { data, origin, clock, config, told } = options
  const signer = signerOf(await readSecret(join(data, "keys", "log.key")))
  const witnesses = config === undefined ? null : await readWitnesses(data, config)
  const more = { ...(witnesses === null ? {} : { witnesses }), ...(told === undefined ? {} : { told }) }
  return new Log({ ledger, origin, signer, clock, watch: config?.watch ?? "on", ...more })
}

async function readWitnesses(
  data: string,
  config: Config,
): Promise<NonNullable<LogOptions["witnesses"]> | null> {
  if (config.witnesses === null) return null
  const file = pathIn(data, config.witnesses)
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("CONFIG", `the witness policy ${file} cannot be read`, { cause })
  })
  const parsed = parsePolicy(text)
  if (parsed.kind === "refuse") throw new Fault("CONFIG", `${file}: ${parsed.why}`)
  return {
    policy: parsed.policy,
    bound: {
      maxAge_ms: config.witness_max_age_s * 1000,
      maxImages: config.witness_max_images,
      strict: config.witness_strict,
    },
    memory: checkpointFile(join(data, "log", "cosigned")),
  }
}

async function readSecret(file: string): Promise<Uint8Array> {
  const bytes = Buffer.from((await readFile(file, "utf8")).trim(), "base64")
  if (bytes.length !== 32)
    throw new Fault("CONFIG", "a key file of the vault does not hold 32 bytes in base64")
  return bytes
}

function checkpointFile(file: string): CheckpointMemory {
  return {
    load: () => readFile(file, "utf8").catch(() => null),
    save: checkpoint => writeWhole(file, checkpoint, 0o600),
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  const handle = await open(file, "wx", 0o600).catch((cause: unknown) => {
    throw new Fault("CONFLICT", `${file} exists: a vault stands there already`, { cause })
  })
  await handle.writeFile(text)
  await handle.sync()
  await handle.close()
}
