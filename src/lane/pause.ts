/** Waits that `end` cuts short, and after which none begins: the pauses of a loop that must stop at once. */
export class Pause {
  #isEnded = false
  #wake: () => void = () => undefined

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Resolves after so long, or with `end`. */
  async for(wait_ms: number): Promise<void> {
    if (this.#isEnded) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, wait_ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }
}
