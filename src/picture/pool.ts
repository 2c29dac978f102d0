import { spawn, type ChildProcess } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Fault } from "../fault.ts"
import { replyOf } from "./job.ts"

/** What the children of a pool are. */
export interface PoolOptions {
  /** Children that work at the same time, 1 to 16; each starts with its first job and ends a minute after its last. */
  readonly processes: number
  /** From handing a job to a child until its answer. */
  readonly timeout_ms: number
  /** Private memory of one child, at least 256. */
  readonly memory_mb: number
  /** The script that a child runs: it calls `serveJobs`. */
  readonly script: URL
  /** Whether its children give way to whatever else has work to do on this machine. */
  readonly givesWay: boolean
}

/** Jobs that wait for a child. */
const maxWaiting = 64

const startLimit_ms = 30_000

/** After this long without a job a child ends, and its memory with it, where pixels may linger. */
const idleLife_ms = 60_000

/** A job with what waits for its answer. */
interface Task {
  readonly job: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (fault: Fault) => void
}

/** A place for one child, which may be none, starting, idle or at work. */
interface Slot {
  child: ChildProcess | null
  isReady: boolean
  /** Jobs that this child has answered. */
  answered: number
  task: Task | null
  timer: NodeJS.Timeout | null
}

/**
 * Child processes without keys, ledger or network, which do one job at a time on pictures that vendors choose.
 * A job is refused with what its child says of the picture; with PICTURE where it takes its child down or takes longer
 * than the limit; BUSY when too many wait or the pool is closed; BUSY too when no child starts in time.
 */
export class Pool {
  readonly #options: PoolOptions
  readonly #slots: readonly Slot[]
  readonly #waiting: Task[] = []
  #isOpen = true

  constructor(options: PoolOptions) {
    const isInRange =
      Number.isInteger(options.processes) &&
      options.processes >= 1 &&
      options.processes <= 16 &&
      options.timeout_ms > 0 &&
      options.memory_mb >= 256
    if (!isInRange) throw new Fault("CONFIG", "the decoder takes 1 to 16 processes of at least 256 MB")
    this.#options = options
    this.#slots = Array.from({ length: options.processes }, () => {
      return { child: null, isReady: false, answered: 0, task: null, timer: null }
    })
  }

  /** @param job  what the child takes, as a message. */
  work(job: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) return reject(closed())
      if (this.#waiting.length >= maxWaiting) {
        return reject(new Fault("BUSY", `${maxWaiting} pictures wait for a decoder`))
      }
      this.#waiting.push({ job, resolve, reject })
      this.#assign()
    })
  }

  /** Ends the children; what is under way or waiting is refused with BUSY. */
  async close(): Promise<void> {
    this.#isOpen = false
    for (const task of this.#waiting.splice(0)) task.reject(closed())
    const ended = this.#slots.map(
      ({ child }) =>
        new Promise<void>(done => {
          if (child === null) return done()
          // Its end is waited for, so it must keep this process alive until then; the channel's end is part of it.
          holdOpen(child, true)
          child.once("close", done)
        }),
    )
    for (const { child } of this.#slots) child?.kill("SIGKILL")
    await Promise.all(ended)
  }

  /** Hands waiting jobs to free slots, those with a running child first. */
  #assign(): void {
    const free = this.#slots.filter(slot => slot.task === null)
    free.sort((a, b) => Number(b.isReady) - Number(a.isReady))
    for (const slot of free) {
      const task = this.#waiting.shift()
      if (task === undefined) return
      slot.task = task
      if (slot.isReady) this.#hand(slot, task)
      else if (slot.child === null) this.#start(slot)
      if (slot.child !== null) holdOpen(slot.child, true)
    }
  }

  #start(slot: Slot): void {
    const child = spawnChild(this.#options)
    slot.child = child
    limit(slot, startLimit_ms)
    child.on("message", message => this.#hear(slot, message))
    child.on("error", () => this.#lose(slot, child))
    child.on("exit", () => this.#lose(slot, child))
  }

  #hand(slot: Slot, task: Task): void {
    limit(slot, this.#options.timeout_ms)
    // A child that dies while it is being written to is heard of by its exit.
    slot.child?.send(task.job as object, () => undefined)
  }

  #hear(slot: Slot, message: unknown): void {
    const reply = replyOf(message)
    const { task } = slot
    limit(slot, idleLife_ms)
    if (reply?.kind === "ready" && !slot.isReady) {
      slot.isReady = true
      if (task !== null) this.#hand(slot, task)
      return
    }
    if (task === null || reply === null || reply.kind === "ready") {
      slot.child?.kill("SIGKILL")
      return
    }
    slot.task = null
    slot.answered += 1
    if (slot.child !== null) holdOpen(slot.child, false)
    if (reply.kind === "done") task.resolve(reply.value)
    else task.reject(new Fault(reply.code, reply.detail))
    this.#assign()
  }

  /**
   * The child is gone. Its job is refused, alone; where the child had worked on other pictures before, the fault may be
   * theirs, and the job is tried once more in a new one: that a picture does not decode is its own property.
   */
  #lose(slot: Slot, child: ChildProcess): void {
    if (slot.child !== child) return
    const { task, isReady, answered } = slot
    limit(slot, null)
    Object.assign(slot, { child: null, isReady: false, answered: 0 } satisfies Partial<Slot>)
    if (this.#isOpen && task !== null && isReady && answered > 0) return this.#start(slot)
    slot.task = null
    if (!this.#isOpen) task?.reject(closed())
    else if (isReady) task?.reject(new Fault("PICTURE", "the picture does not decode within the limits"))
    else task?.reject(new Fault("BUSY", "no decoder process started in time; ask again"))
    if (this.#isOpen) this.#assign()
  }
}

function closed(): Fault {
  return new Fault("BUSY", "the decoder is closed")
}

/** Ends the slot's child, by its pid, after that time instead of any set before; `null` sets none. */
function limit(slot: Slot, limit_ms: number | null): void {
  if (slot.timer !== null) clearTimeout(slot.timer)
  slot.timer = limit_ms === null ? null : setTimeout(() => slot.child?.kill("SIGKILL"), limit_ms).unref()
}

/** An idle child does not keep the process alive. */
function holdOpen(child: ChildProcess, isAtWork: boolean): void {
  if (isAtWork) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}

/**
 * Limits that the kernel holds, whatever the picture makes of the child: private memory (d, kB), no core dump and no
 * written file (c, f: plaintext touches no disk), few descriptors (n). Where the system lets an unprivileged process
 * have a network namespace of its own, the child is in an empty one.
 */
const confine = `
ulimit -d "$1" && ulimit -c 0 && ulimit -f 0 && ulimit -n 64 || exit 1
shift
renice -n "$1" $$ >/dev/null 2>&1
shift
if unshare --user --net test -r "$5" 2>/dev/null; then exec unshare --user --net "$@"; fi
exec "$@"`

/** What Node 22 and newer map at their start and never touch, in MB (measured with 24.21: 0 for Node 20). */
const reserved_mb = Number(process.versions.node.split(".")[0]) >= 22 ? 512 : 0

function spawnChild({ memory_mb, script, givesWay }: PoolOptions): ChildProcess {
  const file = fileURLToPath(script)
  const heap = `--max-old-space-size=${Math.floor(memory_mb / 4)}`
  const niceness = givesWay ? "10" : "0"
  const command = [
    String((memory_mb + reserved_mb) * 1024),
    niceness,
    process.execPath,
    heap,
    "--expose-gc",
    // A child has a core of its own: threads that help to collect cost half as much again (bench/mark-cost.ts).
    "--single-threaded-gc",
    file,
  ]
  return spawn("/bin/sh", ["-c", confine, "sallyport-decoder", ...command], {
    // Large pictures stay in memory too: libvips would else put them into a file in the temporary folder. It knows sizes up
    // to g; of larger units it takes the number alone, and WebP, which it decodes as a whole, goes to a file and fails.
    // The allocator gives large buffers back when they are freed.
    env: {
      PATH: "/usr/bin:/bin",
      VIPS_DISC_THRESHOLD: "900g",
      MALLOC_ARENA_MAX: "2",
      MALLOC_MMAP_THRESHOLD_: "262144",
    },
    cwd: "/",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    serialization: "advanced",
  })
}
