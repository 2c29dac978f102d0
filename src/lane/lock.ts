import { readFile, readlink, rename, symlink, unlink } from "node:fs/promises"
import { join } from "node:path"
import { hasCode, nullIfAbsent } from "../durable.ts"
import { Fault } from "../fault.ts"

/**
 * Makes sure that one process holds a spool. A symbolic link that leads nowhere names it, by id and start time, so that another
 * process that has the id by now is not taken for it; and a link needs no room, so that an agent starts on a full disk too.
 * @returns a function that gives the spool free.
 * @throws Fault BUSY while another agent holds it.
 */
export async function holdSpool(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, "agent")
  const own = (await nameOf(process.pid)) ?? `${process.pid}`
  if (!(await linkTo(own, file))) {
    const holder = (await readlink(file).catch(nullIfAbsent)) ?? ""
    const pid = Number(/^(\d{1,10})\b/.exec(holder)?.[1] ?? "0")
    if (pid !== process.pid && pid > 0 && (await nameOf(pid)) === holder)
      throw new Fault("BUSY", `another agent (process ${pid}) holds the spool ${folder}`)
    await linkTo(own, `${file}.${process.pid}`)
    await rename(`${file}.${process.pid}`, file)
  }
  return async () => {
    const holder = await readlink(file).catch(nullIfAbsent)
    if (holder === own) await unlink(file)
  }
}

async function linkTo(name: string, file: string): Promise<boolean> {
  try {
    await symlink(name, file)
    return true
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false
    throw error
  }
}

/** Id and start time of a process that lives; where the system has no /proc, its id; `null` for one that ended. */
async function nameOf(pid: number): Promise<string | null> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!hasCode(error, "EPERM")) return null
  }
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => null)
  if (stat === null) return `${pid}`
  // The program's name stands in parentheses and may hold anything; the state comes after it, the start as the 20th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields[0] === "Z" ? null : `${pid} ${fields[19] ?? ""}`
}
