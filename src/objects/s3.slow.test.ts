import { AwsClient } from "aws4fetch"
import { describe, expect, test } from "vitest"
import { objectsContract } from "./objects.contract.ts"
import { openS3 } from "./s3.ts"

const endpoint = process.env.SALLYPORT_TEST_S3
const options = {
  endpoint: endpoint ?? "http://127.0.0.1:18000",
  bucket: "sallyport-test",
  region: "us-east-1",
  access_key: process.env.SALLYPORT_TEST_S3_ACCESS_KEY ?? "",
  secret_key: process.env.SALLYPORT_TEST_S3_SECRET_KEY ?? "",
}

describe.skipIf(endpoint === undefined)(
  `a real S3 store${endpoint === undefined ? " (skipped: SALLYPORT_TEST_S3 names none)" : ""}`,
  () => {
    objectsContract("S3", async () => {
      const aws = new AwsClient({
        accessKeyId: options.access_key,
        secretAccessKey: options.secret_key,
        service: "s3",
        region: options.region,
      })
      await aws.fetch(`${options.endpoint}/${options.bucket}`, { method: "PUT" })
      return openS3(options)
    })

    test("a wrong key is an error, not an absent object", async () => {
      await expect(openS3({ ...options, secret_key: "wrong" }).get("a")).rejects.toMatchObject({
        code: "INTERNAL",
      })
    })
  },
)

test("http beyond loopback is refused", () => {
  expect(() => openS3({ ...options, endpoint: "http://s3.example.org" })).toThrow("loopback")
})
