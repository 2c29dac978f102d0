import { by, count, id, index, kind, sha256Hex, statements, thresholds, time } from "./shapes.ts"

/** Entries about the watch's own rules: what judges, and what was tried before. */
export const ruleKinds = {
  /** A model that may be put in force: its whole file, so that whoever has the log can judge by it. */
  "model.kept": kind("model.kept", { model: sha256Hex, person: id("per"), ...by(statements.model) }),
  /** What a model and thresholds would have done, over the log of `size` entries: the digest of the result, and its sums. */
  "watch.backtested": kind("watch.backtested", {
    person: id("per"),
    model: sha256Hex,
    thresholds,
    size: index,
    from: time,
    result_sha256: sha256Hex,
    requests: count,
    questions: count,
    suspensions: count,
    ...by(statements.backtest),
  }),
} as const
