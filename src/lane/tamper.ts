import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Health } from "./health.ts"

export interface TamperOptions {
  /** The system's list of USB devices; `/sys/bus/usb/devices` on Linux. */
  readonly usb: string
  /** A file that says `1` while the enclosure is open, such as a GPIO line's `value`; `null` for none. */
  readonly enclosure: string | null
  readonly health: Health
}

/** A device's place on the bus, such as `1-1.2`; interfaces (`1-1.2:1.0`) and host controllers (`usb1`) are none. */
const place = /^\d{1,3}-\d{1,3}(\.\d{1,3}){0,8}$/
const every_ms = 2000

/** Looks at what somebody at the cabinet would change, and tells of it. Devices that are there at the start are no news. */
export class Tamper {
  readonly #options: TamperOptions
  #devices: ReadonlyMap<string, string> | null = null
  #isOpen = false
  #timer: NodeJS.Timeout | null = null

  constructor(options: TamperOptions) {
    this.#options = options
  }

  /** How many USB devices there are; `null` where the system does not say. */
  get devices(): number | null {
    return this.#devices?.size ?? null
  }

  async start(): Promise<void> {
    await this.look()
    this.#timer = setInterval(() => void this.look(), every_ms)
    this.#timer.unref()
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** One look; tells what changed since the last. */
  async look(): Promise<void> {
    const { usb, health } = this.#options
    const [found, isOpen] = [await devicesIn(usb), await this.#enclosureIsOpen()]
    const held = this.#devices
    if (held !== null && found !== null) {
      for (const [at, kind] of found)
        if (held.get(at) !== kind) health.tell("usb_connected", { place: at, device: kind })
      for (const [at, kind] of held)
        if (!found.has(at)) health.tell("usb_disconnected", { place: at, device: kind })
    }
    this.#devices = found
    if (isOpen !== this.#isOpen) health.tell(isOpen ? "enclosure_opened" : "enclosure_closed", {})
    this.#isOpen = isOpen
  }

  async #enclosureIsOpen(): Promise<boolean> {
    const { enclosure } = this.#options
    if (enclosure === null) return false
    const text = await readFile(enclosure, "latin1").catch(() => "")
    return text.trim() === "1"
  }
}

/** `vendor:product` by place, or `null` where there is no such list. */
async function devicesIn(folder: string): Promise<Map<string, string> | null> {
  const names = await readdir(folder).catch(() => null)
  if (names === null) return null
  const word = async (name: string, file: string) => {
    const text = await readFile(join(folder, name, file), "latin1").catch(() => "")
    return /^[0-9a-f]{4}$/.exec(text.trim())?.[0] ?? "????"
  }
  const devices = new Map<string, string>()
  for (const name of names.filter(each => place.test(each)).slice(0, 256))
    devices.set(name, `${await word(name, "idVendor")}:${await word(name, "idProduct")}`)
  return devices
}
