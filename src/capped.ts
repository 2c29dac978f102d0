/** The body of a response, as far as it is no longer than `most_bytes`. @throws Error for a longer one, whatever its headers say. */
export async function cappedBytes(response: Response, most_bytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length
    if (size > most_bytes) throw new Error(`the answer is longer than ${most_bytes} bytes`)
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks)
}
