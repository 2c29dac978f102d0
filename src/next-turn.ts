/** Lets whatever waits have its turn of the event loop: long work on a server is done in pieces, and this stands between them. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
