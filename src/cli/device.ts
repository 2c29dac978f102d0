import type { Command } from "commander"
import { base64 } from "../bytes.ts"
import { newSeed, signerOf } from "../ed25519.ts"
import { globalsOf } from "./context.ts"
import { writeKeyFile } from "./keyfile.ts"
import { answer, tell } from "./say.ts"

/** device: the key of one machine, which signs beside the person where a grant or contract names it. */
export function deviceCommands(program: Command): void {
  program
    .command("device")
    .description("the key of this machine")
    .command("new <file>")
    .description("make this machine's key file; it must not leave the machine")
    .action(async (file: string, _options: unknown, self: Command) => {
      const seed = newSeed()
      const key = base64(signerOf(seed).publicKey)
      await writeKeyFile(file, { vault: "any", id: "device", notes: {}, seed })
      answer(globalsOf(self), { key, file }, [key])
      tell(
        globalsOf(self),
        `give that key to the custodian (contract add --device); sign with --device ${file}`,
      )
    })
}
