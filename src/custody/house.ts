import type { Ledger } from "../ledger/ledger.ts"
import type { Log } from "../log/log.ts"
import type { ObjectStore } from "../objects/objects.ts"
import type { Decoder } from "../picture/decoder.ts"
import type { KeyMaker } from "../vault/keys.ts"
import type { Vault } from "../vault/vault.ts"

/** The whole house. Every path takes it and what is asked; nothing else is passed around. */
export interface House {
  readonly ledger: Ledger
  readonly objects: ObjectStore
  readonly log: Log
  readonly vault: Vault
  readonly decoder: Decoder
  readonly keys: KeyMaker
}
