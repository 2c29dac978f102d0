import { ocsfOf } from "./ocsf.ts"
import type { Way } from "./parcel.ts"
import { post } from "./post.ts"

/** OCSF events as NDJSON, a batch in one request, with the bearer token that the configuration names for the destination. */
export const httpJson: Way = {
  batch: 100,
  atOnce: 1,
  send: async (messages, target) => {
    const { settings, destination } = target
    const token = settings.tokens[destination.name]
    const headers = {
      "content-type": "application/x-ndjson",
      "user-agent": `sallyport/${settings.version}`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    return post(target, { headers, body: messages.map(each => `${ocsfOf(each, settings)}\n`).join("") })
  },
}
