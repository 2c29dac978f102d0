import { by, count, id, index, kind, sha256Hex, statements, thresholds, time } from "./shapes.ts"

/** Entries about the watch's own rules: what judges, what was tried before, and who is not told for a while. */
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
  /** A destination is not told of an event, until a time. */
  "rule.muted": kind("rule.muted", { mute: id("mut"), person: id("per"), ...by(statements.mute) }),
  /** It is told again, before that time. */
  "rule.unmuted": kind("rule.unmuted", { mute: id("mut"), person: id("per"), ...by(statements.unmute) }),
} as const
