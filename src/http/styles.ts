/** The page's one style sheet; its digest is in the content security policy. */
export const styles = `
:root{color-scheme:light dark;--ink:#1b1b1b;--quiet:#565c65;--paper:#fff;--line:#dfe1e2;--band:#f0f4f8;--deep:#162e51;--good:#00633a;--bad:#a01c1c}
@media (prefers-color-scheme:dark){:root{--ink:#f0f0f0;--quiet:#b3b8bf;--paper:#14181d;--line:#333a42;--band:#1d242c;--deep:#0b1a2f;--good:#6fd29d;--bad:#ff9d8f}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header{background:var(--deep);color:#fff;padding:1rem max(1rem,calc(50vw - 32rem));display:flex;flex-wrap:wrap;gap:0 1.5rem;align-items:baseline}
header h1{font-size:1.4rem;margin:0}header p{margin:0}header .quiet{color:#c3ccd8;margin-left:.75rem}
main{max-width:64rem;margin:0 auto;padding:1rem}h2{font-size:1.1rem;margin:1.75rem 0 .5rem}
.state{font-size:1.25rem;font-weight:600;color:var(--good);margin:.75rem 0}.stopped{color:var(--bad)}.quiet{color:var(--quiet)}
.totals{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.75rem;margin:0}
.totals div{background:var(--band);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem}
.totals dt{color:var(--quiet);font-size:.9rem}.totals dd{margin:0;font-size:1.7rem;font-weight:600;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;font-size:.93rem}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--quiet);font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums}
.kind{font-family:ui-monospace,monospace;font-size:.85rem;white-space:nowrap}.refused{color:var(--bad);font-weight:600}.delivered,.permit{color:var(--good);font-weight:600}
button{font:inherit;padding:.45rem .9rem;margin:.25rem .5rem .25rem 0;border:1px solid var(--deep);border-radius:.35rem;background:var(--deep);color:#fff;cursor:pointer}button:disabled{opacity:.5}
button.link{background:none;border:0;padding:0;margin:0;color:inherit;text-decoration:underline;font-family:ui-monospace,monospace;font-size:.9rem}button:focus-visible{outline:3px solid #ffbe2e;outline-offset:2px}
.left{font-size:2.6rem;line-height:1.1;font-weight:600;margin:.75rem 0 0;font-variant-numeric:tabular-nums}main a{color:inherit}
.plot{width:100%;min-width:30rem;max-width:40rem;display:block;font-size:12px}.plot rect{fill:#3d72b4}.plot text{fill:currentColor}.plot line{stroke:var(--quiet)}
.silhouettes{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.5rem}.silhouettes svg{width:100%;border-radius:.25rem;display:block}
h2,code,.facts td{overflow-wrap:anywhere}.wide{overflow-x:auto}
#line{white-space:pre-wrap;overflow-wrap:anywhere}
pre{background:var(--band);border:1px solid var(--line);border-radius:.4rem;padding:.75rem;overflow-x:auto;font-size:.85rem;margin:.25rem 0}
`
