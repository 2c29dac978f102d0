import { createRequire } from "node:module"
import PDFDocument from "pdfkit"
import { audiences, sentenceSaid, sourceLines, type Audience, type Statement } from "../incident/statement.ts"

const require = createRequire(import.meta.url)
const fontOf = (weight: 400 | 600) =>
  require.resolve(`@fontsource/barlow-condensed/files/barlow-condensed-latin-${weight}-normal.woff`)

const titles: Readonly<Record<Audience, string>> = {
  press: "For the press",
  congress: "For Congress",
  individuals: "For each person: the text of the letter",
}

/**
 * The statement for people: the three texts, with the number of its source behind each figure, and the page of sources. The same
 * statement gives the same bytes: its own time in place of today's, fonts in the file, nothing compressed.
 * @param statement_sha256  of the machine file, printed on every page.
 */
export async function statementPdf(statement: Statement, statement_sha256: string): Promise<Uint8Array> {
  const at = new Date(statement.as_of)
  const document = new PDFDocument({
    ...{ size: "LETTER", margin: 54, compress: false, lang: "en-US", displayTitle: true },
    ...{ autoFirstPage: false, font: fontOf(400), pdfVersion: "1.7" },
    info: {
      ...{ Title: `Incident ${statement.incident}`, Author: statement.facts.agency, Producer: "Sallyport" },
      ...{ Creator: "Sallyport", CreationDate: at, ModDate: at },
    },
  })
  const chunks: Uint8Array[] = []
  const done = new Promise<void>((resolve, reject) => {
    document
      .on("data", (chunk: Uint8Array) => chunks.push(chunk))
      .on("end", resolve)
      .on("error", reject)
  })
  document.registerFont("plain", fontOf(400)).registerFont("strong", fontOf(600))
  const foot = `${statement.incident}   as of ${statement.as_of}   machine file SHA-256 ${statement_sha256}`
  document.on("pageAdded", () => footed(document, foot))
  for (const audience of audiences) written(document, statement, audience)
  document.end()
  await done
  return Buffer.concat(chunks)
}

type Document = InstanceType<typeof PDFDocument>

/** Below the margin; the text goes on where it was. */
function footed(document: Document, foot: string): void {
  const { bottom } = document.page.margins
  document.page.margins.bottom = 0
  document
    .font("plain")
    .fontSize(7)
    .text(foot, 54, document.page.height - 40, { lineBreak: false })
  document.page.margins.bottom = bottom
  document.text("", 54, 54)
}

function written(document: Document, statement: Statement, audience: Audience): void {
  document.addPage()
  document.font("strong").fontSize(18).text(statement.facts.agency)
  document.fontSize(13).text(`${titles[audience]}, incident ${statement.incident}`)
  for (const { heading, sentences } of statement.texts[audience]) {
    document.moveDown(0.7).font("strong").fontSize(12).text(heading)
    document.font("plain").fontSize(11)
    for (const sentence of sentences)
      document.text(sentenceSaid(statement, sentence, "numbers"), { paragraphGap: 2 })
  }
  document.addPage()
  document.font("strong").fontSize(13).text(`Sources of each number: ${titles[audience].toLowerCase()}`)
  document.font("plain").fontSize(8)
  for (const line of sourceLines(statement, audience)) document.text(line, { paragraphGap: 2 })
  const { query_sha256, result_sha256 } = statement.scope
  document
    .moveDown()
    .text(`Scope query SHA-256 ${query_sha256}`)
    .text(`Scope result SHA-256 ${result_sha256}`)
  const { origin, size, root } = statement.checkpoint
  document.text(`Checkpoint of ${origin}: ${size} entries, root ${root}`)
}
