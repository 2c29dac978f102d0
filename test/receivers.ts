import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo, Server, Socket } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SMTPServer } from "smtp-server"

/** A certificate of its own for localhost, or `null` without openssl: tests that need it skip by name. */
export const certificate: { readonly key: string; readonly cert: string } | null = newCertificate()

function newCertificate() {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-tls-"))
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ...["-keyout", key, "-out", cert],
  ])
  const pair = made.status === 0 ? { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") } : null
  rmSync(folder, { recursive: true, force: true })
  return pair
}

/** One request as it came. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HttpReceiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  /** What it answers; `hang`: nothing. */
  answer: number | "hang"
  close(): Promise<void>
}

/** A real HTTP receiver on loopback, on a port of its own or that one again. */
export async function httpReceiver(port = 0): Promise<HttpReceiver> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { method = "", url = "", headers } = request
      received.push({ method, path: url, headers, body: Buffer.concat(chunks).toString() })
      if (receiver.answer === "hang") return
      const location = { location: "http://169.254.169.254/latest/meta-data/" }
      response.writeHead(receiver.answer, receiver.answer === 302 ? location : {}).end("x".repeat(100))
    })
  })
  const at = await listening(server, port)
  const close = () => {
    server.closeAllConnections()
    return closed(server)
  }
  const receiver: HttpReceiver = { url: `http://127.0.0.1:${at}`, port: at, received, answer: 204, close }
  return receiver
}

export interface SyslogReceiver {
  readonly port: number
  /** Messages by their octet counts (RFC 5425). */
  readonly received: string[]
  close(): Promise<void>
}

export async function syslogReceiver(of: { key: string; cert: string }): Promise<SyslogReceiver> {
  const received: string[] = []
  const sockets = new Set<Socket>()
  const server = createTlsServer(of, socket => {
    sockets.add(socket)
    const chunks: Buffer[] = []
    socket.on("data", (chunk: Buffer) => chunks.push(chunk))
    socket.on("end", () => {
      received.push(...framesOf(Buffer.concat(chunks)))
      socket.end()
    })
    socket.on("error", () => undefined)
  })
  const port = await listening(server, 0)
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return closed(server)
  }
  return { port, received, close }
}

function framesOf(bytes: Buffer): string[] {
  const frames: string[] = []
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(" ", at)
    const size = Number(bytes.subarray(at, space).toString())
    if (!Number.isInteger(size) || space < 0) throw new Error("no octet count")
    frames.push(bytes.subarray(space + 1, space + 1 + size).toString())
    at = space + 1 + size
  }
  return frames
}

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
  readonly isEncrypted: boolean
  readonly user: string | null
}

export interface MailServer {
  readonly port: number
  readonly received: Mail[]
  close(): Promise<void>
}

/** A real SMTP server on loopback; with a certificate it offers STARTTLS and wants a password. */
export async function mailServer(tls: { key: string; cert: string } | null): Promise<MailServer> {
  const received: Mail[] = []
  const server = new SMTPServer({
    ...(tls === null ? { hideSTARTTLS: true, authOptional: true } : tls),
    onAuth: ({ username = "", password }, _, done) =>
      password === "s3cret" ? done(null, { user: username }) : done(new Error("no")),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString(),
          isEncrypted: session.secure,
          user: session.user ?? null,
        })
        done()
      })
    },
  })
  server.on("error", () => undefined)
  const port = await new Promise<number>(resolve => {
    const listener = server.listen(0, "127.0.0.1", () => resolve((listener.address() as AddressInfo).port))
  })
  return { port, received, close: () => new Promise(resolve => server.close(() => resolve())) }
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port))
  })
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}

/** Waits until it holds, at most 20 s. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let left = 400; left > 0; left -= 1) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`it never came to it: ${what}`)
}
