import type { MarkPolicy } from "./mark/policy.ts"
import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import { Fault } from "./fault.ts"
import { lookMemory_mb } from "./reading/looker.ts"
import { plateRegions, type PlateRegion } from "./reading/plate-syntax.ts"

const closed = { additionalProperties: false }

/** The one file of a vault's data folder, `config.json`. Secrets are named by file, never written here. */
const schema = Type.Object(
  {
    /** The log's origin: a schemeless name, such as `sallyport.example/el-paso`. */
    origin: Type.String({ pattern: "^[a-z0-9][a-z0-9./-]{2,127}$" }),
    mode: Type.Unsafe<"hybrid" | "x25519">(Type.String({ enum: ["hybrid", "x25519"] })),
    /** An age recipient whose identity the agency keeps offline. */
    escrow_recipient: Type.String({ maxLength: 4096 }),
    ledger: Type.Union([
      Type.Object({ sqlite: Type.String() }, closed),
      Type.Object({ postgres_url_file: Type.String() }, closed),
    ]),
    objects: Type.Union([
      Type.Object({ disk: Type.String() }, closed),
      Type.Object(
        {
          s3: Type.Object(
            {
              endpoint: Type.String(),
              bucket: Type.String(),
              region: Type.String(),
              access_key_file: Type.String(),
              secret_key_file: Type.String(),
            },
            closed,
          ),
        },
        closed,
      ),
    ]),
    /** Whether anyone may read the log's entries; without it entry bundles need sign-in. Default false. */
    open_bundles: Type.Boolean(),
    /** A policy file (c2sp.org/tlog-policy) with the witnesses that are asked, or `null` for none. */
    witnesses: Type.Union([Type.String({ minLength: 1, maxLength: 4096 }), Type.Null()]),
    /** Oldest cosigned checkpoint under which images leave, s, 5 to 3,600. Default 60. */
    witness_max_age_s: Type.Integer({ minimum: 5, maximum: 3600 }),
    /** Most images that leave beyond it, 1 to 100,000. Default 50. */
    witness_max_images: Type.Integer({ minimum: 1, maximum: 100_000 }),
    /** Whether each image waits until the quorum has seen its entries. Default false. */
    witness_strict: Type.Boolean(),
    /** Where browsers find this vault, such as `https://vault.example`; passkeys and sign-in need it. Default none. */
    web_origin: Type.Union([
      Type.String({ pattern: "^(https://[a-z0-9.-]{1,253}|http://localhost)(:[0-9]{1,5})?$" }),
      Type.Null(),
    ]),
    /** The agency's identity provider (OpenID Connect), or `null` for none. */
    sign_in: Type.Union([
      Type.Object(
        {
          issuer: Type.String({ pattern: "^https?://", maxLength: 512 }),
          client_id: Type.String({ minLength: 1, maxLength: 256 }),
          client_secret_file: Type.Union([Type.String(), Type.Null()]),
        },
        closed,
      ),
      Type.Null(),
    ]),
    /** Addresses of proxies whose X-Forwarded-For is believed; contracts that name networks need them behind one. */
    trusted_proxies: Type.Array(Type.String({ pattern: "^[0-9a-f.:]{2,39}(/[0-9]{1,3})?$" }), {
      maxItems: 16,
    }),
    /** Requests a second of one person, 1 to 10,000; ten times as many at once after a rest. Default 50. */
    person_rate_per_s: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /** `observe`: what the watch thinks is in entries and messages, and nothing is refused for it. Default on. */
    watch: Type.Unsafe<"on" | "observe">(Type.String({ enum: ["on", "observe"] })),
    /** A reader that was heard of and then not for so long is silent, s, 60 to 86,400. Default 900. */
    reader_silent_s: Type.Integer({ minimum: 60, maximum: 86_400 }),
    /** A folder of the agency's own clock packs (`*.json`), beside those that come along, or `null` for none. Default none. */
    packs: Type.Union([Type.String({ minLength: 1, maxLength: 4096 }), Type.Null()]),
    /** Where mail is handed over, or `null` for none. */
    smtp: Type.Union([
      Type.Object(
        {
          host: Type.String({ minLength: 1, maxLength: 253 }),
          port: Type.Integer({ minimum: 1, maximum: 65_535 }),
          /** `implicit`, `starttls`, or `offered`: TLS where the server offers it. */
          tls: Type.Unsafe<"implicit" | "starttls" | "offered">(
            Type.String({ enum: ["implicit", "starttls", "offered"] }),
          ),
          from: Type.String({ pattern: "^[^\\s@<>]{1,64}@[A-Za-z0-9.-]{1,190}$" }),
          user: Type.Union([Type.String({ minLength: 1, maxLength: 256 }), Type.Null()]),
          password_file: Type.Union([Type.String({ minLength: 1, maxLength: 4096 }), Type.Null()]),
        },
        closed,
      ),
      Type.Null(),
    ]),
    /** By a destination's name: networks that are not the public internet, which it may be in. Default none. */
    outbox_networks: Type.Record(
      Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,31}$" }),
      Type.Array(Type.String({ pattern: "^[0-9a-f.:]{2,39}/[0-9]{1,3}$" }), { maxItems: 16 }),
    ),
    /** By a destination's name: the file with the bearer token that its receiver wants. Default none. */
    outbox_token_files: Type.Record(
      Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,31}$" }),
      Type.String({ minLength: 1, maxLength: 4096 }),
    ),
    /** Certificates (PEM) of an authority of the agency's own, in place of the public ones, or `null`. */
    outbox_ca: Type.Union([Type.String({ minLength: 1, maxLength: 4096 }), Type.Null()]),
    /** The folder of destinations of the kind file. Default `outbox`. */
    outbox_folder: Type.String({ minLength: 1, maxLength: 4096 }),
    /** Longest time for one attempt, s, 1 to 60. Default 15. */
    outbox_timeout_s: Type.Integer({ minimum: 1, maximum: 60 }),
    /** Wait after the first attempt that fails, s, 1 to 60; it grows from there. Default 5. */
    outbox_retry_first_s: Type.Integer({ minimum: 1, maximum: 60 }),
    /** Longest wait between attempts, s, 1 to 14,400. Default 14,400. */
    outbox_retry_most_s: Type.Integer({ minimum: 1, maximum: 14_400 }),
    /** Port on loopback that answers `/metrics` for Prometheus, or `null` for none. Default none. */
    metrics_port: Type.Union([Type.Integer({ minimum: 0, maximum: 65_535 }), Type.Null()]),
    /** Child processes that decode pictures: 1 to 16. Default 2. */
    decoder_processes: Type.Integer({ minimum: 1, maximum: 16 }),
    /** Longest time for one picture, ms, 100 to 60,000. Default 10,000. */
    decoder_timeout_ms: Type.Integer({ minimum: 100, maximum: 60_000 }),
    /** Memory of one decoder, MB, 256 to 8,192. Default 1,024. */
    decoder_memory_mb: Type.Integer({ minimum: 256, maximum: 8192 }),
    /** How strongly copies are marked: `usual` (44 dB, 42 where little is shown) or `strong` (42 dB). Default usual. */
    mark_strength: Type.Unsafe<MarkPolicy>(Type.String({ enum: ["usual", "strong"] })),
    /** Whose plates the built-in reader expects. Default any. */
    plate_region: Type.Unsafe<PlateRegion>(Type.String({ enum: [...plateRegions] })),
    /** A face model of the operator's, an ONNX file in the format of YuNet, or `null` for the one that is installed. */
    face_model: Type.Union([Type.String({ minLength: 1, maxLength: 4096 }), Type.Null()]),
    /** Child processes that look for plates and faces, and so how many captures are examined at once: 1 to 16. Default 2. */
    finder_processes: Type.Integer({ minimum: 1, maximum: 16 }),
    /** Longest time for one picture, ms, with the loading of the networks, 5,000 to 300,000. Default 60,000. */
    finder_timeout_ms: Type.Integer({ minimum: 5000, maximum: 300_000 }),
    /** Memory of one of them, MB, 1,024 to 8,192. Default 1,280. */
    finder_memory_mb: Type.Integer({ minimum: 1024, maximum: 8192 }),
    /** Captures that may wait for their examination before lanes are asked to wait, 100 to 10,000,000. Default 200,000. */
    backlog_captures: Type.Integer({ minimum: 100, maximum: 10_000_000 }),
  },
  closed,
)

export type Config = Static<typeof schema>

export const defaults = {
  ledger: { sqlite: "ledger.sqlite" },
  objects: { disk: "objects" },
  open_bundles: false,
  witnesses: null,
  witness_max_age_s: 60,
  witness_max_images: 50,
  witness_strict: false,
  web_origin: null,
  sign_in: null,
  trusted_proxies: [],
  person_rate_per_s: 50,
  watch: "on",
  reader_silent_s: 900,
  packs: null,
  smtp: null,
  outbox_networks: {},
  outbox_token_files: {},
  outbox_ca: null,
  outbox_folder: "outbox",
  outbox_timeout_s: 15,
  outbox_retry_first_s: 5,
  outbox_retry_most_s: 14_400,
  metrics_port: null,
  decoder_processes: 2,
  decoder_timeout_ms: 10_000,
  decoder_memory_mb: 1024,
  mark_strength: "usual",
  plate_region: "any",
  face_model: null,
  finder_processes: 2,
  finder_timeout_ms: 60_000,
  finder_memory_mb: lookMemory_mb,
  backlog_captures: 200_000,
} satisfies Partial<Config>

const validator = Compile(schema)

/** The settings that `SALLYPORT_*` may override: the scalar ones, by their name in capitals. */
const overridable = [
  "open_bundles",
  "witness_max_age_s",
  "witness_max_images",
  "witness_strict",
  "person_rate_per_s",
  "watch",
  "reader_silent_s",
  "outbox_timeout_s",
  "outbox_retry_first_s",
  "outbox_retry_most_s",
  "metrics_port",
  "decoder_processes",
  "decoder_timeout_ms",
  "decoder_memory_mb",
  "finder_processes",
  "finder_timeout_ms",
  "finder_memory_mb",
  "backlog_captures",
] as const

/** @throws Fault CONFIG for a file that is missing or malformed, or holds an unknown key or a value out of range. */
export async function readConfig(
  data: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Config> {
  const file = join(data, "config.json")
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault(
      "CONFIG",
      `no config.json in ${data}: is it a vault's data folder? sallyport init makes one`,
      { cause },
    )
  })
  return parseConfig({ ...parsed(text), ...overrides(environment) })
}

/** The configuration with its defaults. @throws Fault CONFIG naming the first setting that is wrong. */
export function parseConfig(value: Record<string, unknown>): Config {
  const whole = { ...defaults, ...value }
  if (validator.Check(whole)) return whole
  const [error] = validator.Errors(whole)
  throw new Fault("CONFIG", `config.json: ${error?.instancePath || "/"} ${error?.message ?? "is wrong"}`)
}

/** A file or folder that the configuration names: relative to the data folder. */
export function pathIn(data: string, name: string): string {
  return resolve(data, name)
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new Fault("CONFIG", "config.json is not JSON", { cause })
  }
}

function overrides(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const given = overridable.flatMap(name => {
    const text = environment[`SALLYPORT_${name.toUpperCase()}`]
    return text === undefined ? [] : [[name, scalar(text)] as const]
  })
  return Object.fromEntries(given)
}

function scalar(text: string): unknown {
  if (text === "true" || text === "false") return text === "true"
  return /^\d+$/.test(text) ? Number(text) : text
}
