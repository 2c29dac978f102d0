import { access, open, readFile } from "node:fs/promises"
import { base64, fromBase64 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { signerOf, type Signer } from "../ed25519.ts"

/** A person's or reader's key file: text, readable by its owner alone. */
export interface KeyFile {
  /** The origin of the vault that the key is enrolled at. */
  readonly vault: string
  /** `per_…` or `rdr_…`. */
  readonly id: string
  /** What else its owner needs; a reader: its port, lane and the custodian's public key. */
  readonly notes: Readonly<Record<string, string>>
  /** The 32-byte seed, base64. */
  readonly seed: string
}

const firstLine = "sallyport-key/v1"

export function formatKeyFile({ vault, id, notes, seed }: KeyFile): string {
  const lines = [
    `vault: ${vault}`,
    `id: ${id}`,
    ...Object.entries(notes).map(([name, value]) => `${name}: ${value}`),
    `seed: ${seed}`,
  ]
  return `${firstLine}\n${lines.join("\n")}\n`
}

/** The key file of this text, or `null`. */
export function parseKeyFile(text: string): KeyFile | null {
  const [first, ...lines] = text.split("\n").filter(line => line.trim() !== "" && !line.startsWith("#"))
  const pairs = lines.map(line => /^([a-z_]{1,32}): (\S.*)$/.exec(line))
  if (first !== firstLine || pairs.some(pair => pair === null)) return null
  const { vault, id, seed, ...notes } = Object.fromEntries(
    pairs.map(pair => [pair?.[1], pair?.[2]]),
  ) as Record<string, string>
  if (vault === undefined || id === undefined || seed === undefined || fromBase64(seed)?.length !== 32)
    return null
  return { vault, id, notes, seed }
}

/** @throws Fault CONFIG naming the file when it cannot be read as one. */
export async function readKeyFile(file: string): Promise<KeyFile & { readonly signer: Signer }> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("CONFIG", `the key file ${file} cannot be read`, { cause })
  })
  const key = parseKeyFile(text)
  const seed = key === null ? null : fromBase64(key.seed)
  if (key === null || seed === null) throw new Fault("CONFIG", `${file} is not a Sallyport key file`)
  return { ...key, signer: signerOf(seed) }
}

/** Asked before anything is in the log that a key file must follow. @throws Fault CONFLICT where a file stands. */
export async function assertFree(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  )
  if (isThere) throw new Fault("CONFLICT", `${file} exists; nothing was asked for`)
}

/** Writes a new key file, mode 0600. @throws Fault CONFLICT where a file stands. */
export async function writeKeyFile(
  file: string,
  key: Omit<KeyFile, "seed"> & { readonly seed: Uint8Array },
): Promise<void> {
  const handle = await open(file, "wx", 0o600).catch((cause: unknown) => {
    throw new Fault("CONFLICT", `${file} exists, or its folder does not`, { cause })
  })
  await handle.writeFile(formatKeyFile({ ...key, seed: base64(key.seed) }))
  await handle.sync()
  await handle.close()
}
