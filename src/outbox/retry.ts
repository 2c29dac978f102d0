/** Delays between attempts, in multiples of the first; the last one repeats. With 5 s: 5 s, 15 s, 1 min … 4 h. */
const steps: readonly number[] = [1, 3, 12, 60, 180, 360, 720, 1440, 2880]

/** After so long a message is given up. */
export const patience_ms = 3 * 86_400_000

/**
 * How long to wait after an attempt that failed, 80 to 120 % of the step, so that many do not come back at one moment.
 * @param attempts  so far, from 1. @param random  0 ≤ random < 1.
 */
export function retryDelay_ms(
  attempts: number,
  of: { readonly first_ms: number; readonly most_ms: number; readonly random: number },
): number {
  const step = steps[Math.min(attempts, steps.length) - 1] ?? 1
  return Math.round(Math.min(of.first_ms * step, of.most_ms) * (0.8 + 0.4 * of.random))
}
