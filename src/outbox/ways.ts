import type { DestinationKind } from "../log/destinations.ts"
import { file } from "./file.ts"
import { httpJson } from "./http-json.ts"
import { email } from "./mail.ts"
import type { Way } from "./parcel.ts"
import { syslog } from "./syslog.ts"
import { webhook } from "./webhook.ts"

/** How each kind of destination is told. */
export const ways: Readonly<Record<DestinationKind, Way>> = {
  ...{ webhook, email, syslog, file },
  "http-json": httpJson,
}
