import type { Ledger } from "../ledger/ledger.ts"
import type { Log } from "../log/log.ts"
import type { ObjectStore } from "../objects/objects.ts"
import type { Decoder } from "../picture/decoder.ts"
import type { Tracer } from "../picture/tracer.ts"
import type { Describer } from "../reading/describer.ts"
import type { Looker } from "../reading/looker.ts"
import type { KeyMaker } from "../vault/keys.ts"
import type { MarkPolicy } from "../mark/policy.ts"
import type { FinderSettings } from "./findings.ts"
import type { Vault } from "../vault/vault.ts"

/** The whole house. Every path takes it and what is asked; nothing else is passed around. */
export interface House {
  readonly ledger: Ledger
  readonly objects: ObjectStore
  readonly log: Log
  readonly vault: Vault
  /** Whatever touches pixels, in child processes. */
  readonly pictures: Pictures
  readonly keys: KeyMaker
}

/** Decoding, redaction, and this vault's own finders. */
export interface Pictures extends Pick<Decoder, "keepRegions">, Pick<Looker, "look"> {
  /** What looks at found files. */
  readonly tracer: Tracer
  /** What describes faces for a linkage. */
  readonly describer: Describer
  readonly finders: FinderSettings
  /** How strongly this vault marks. */
  readonly markPolicy: MarkPolicy
  close(): Promise<void>
}
