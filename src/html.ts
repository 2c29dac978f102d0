import { createHash } from "node:crypto"

/** Text as it may stand in HTML, in content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
}

/**
 * The headers of a page that has this one style sheet, at most this one script, and nothing from elsewhere.
 * @param script  base64 SHA-256 of a script of this server, which may ask it.
 * @param form    whether the page has a form, which goes to this server.
 */
export function pageHeaders(
  styles: string,
  { script, form = "none" }: { readonly script?: string; readonly form?: "none" | "self" } = {},
): Readonly<Record<string, string>> {
  const scripts = script === undefined ? "" : `script-src 'sha256-${script}'; connect-src 'self'; `
  const hash = createHash("sha256").update(styles).digest("base64")
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; ${scripts}style-src 'sha256-${hash}'; base-uri 'none'; form-action '${form}'; frame-ancestors 'none'`,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  }
}
