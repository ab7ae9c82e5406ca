/** The frame of an offline HTML page: its policy, its style, and the filter of its table. */
import { createHash } from 'node:crypto';
import { html, type Html, type HtmlValue } from './html.js';

/** Text that stays byte for byte: Prettier formats templates with the tag `html`, and a browser checks these by their hash. */
const verbatim = html;

/** Light or dark as the reader's system. Every colour comes with a word, so that the page is readable without it. */
const style = verbatim`
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --faint: #59636e; --line: #c8ced6; --head: #eef1f4;
  --passed: #e3f4e5; --expected: #fff3cd; --skipped: #f0ebdd; --failed: #ffd9d6; --error: #f3dcfa; --alarm: #ffb3ac; --arrow: #1f5fbf; --drop: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14181d; --text: #e4e8ec; --faint: #9aa4af; --line: #3a424c; --head: #20262d;
    --passed: #16331c; --expected: #3d3310; --skipped: #2e2a20; --failed: #571d1a; --error: #42204d; --alarm: #7a1f18; --arrow: #7fb0ff; --drop: #ff8a80; }
}
body { margin: 1.5rem; font: 15px/1.45 system-ui, sans-serif; background: var(--back); color: var(--text); }
h1 { margin-bottom: 0.2rem; } h2 { margin-top: 2rem; }
a { color: inherit; } nav a { margin-right: 1rem; } summary { cursor: pointer; }
pre { margin: 0.3rem 0; white-space: pre-wrap; } dl { margin: 0.3rem 0; } dd { margin-left: 1rem; }
.faint { color: var(--faint); } .wide { overflow: auto; max-height: 90vh; border: 1px solid var(--line); }
.notice { padding: 0.6rem 0.9rem; background: var(--expected); border: 1px solid var(--line); }
table { border-collapse: separate; border-spacing: 0; } caption { text-align: left; padding: 0.3rem 0.5rem; }
th, td { padding: 0.25rem 0.55rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; max-width: 34rem;
  border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); }
td { min-width: 4rem; }
thead th { position: sticky; top: 0; z-index: 2; background: var(--head); white-space: nowrap; }
tbody th { position: sticky; left: 0; z-index: 1; min-width: 8rem; max-width: 24rem; background: var(--back);
  font-weight: normal; }
thead th:first-child { left: 0; z-index: 3; } tbody th.suite { font-weight: bold; background: var(--head); }
:target { outline: 3px solid Highlight; outline-offset: -3px; scroll-margin-top: 3rem; }
.passed { background: var(--passed); } .expected { background: var(--expected); } .skipped { background: var(--skipped); }
.failed { background: var(--failed); font-weight: bold; } .error { background: var(--error); font-weight: bold; }
.alarm { background: var(--alarm); font-weight: bold; } td p, td dl, td .value { font-weight: normal; }
.drawing { overflow: auto; padding: 0.4rem 0; } svg { font: 12px system-ui, sans-serif; fill: var(--text); stroke: none; }
.ladder line, .network line { stroke: var(--faint); stroke-width: 1.5; } .ladder .column line { stroke: var(--line); stroke-width: 1; }
.ladder .column text { text-anchor: middle; font-weight: bold; } .ladder .column text + text { font-weight: normal; fill: var(--faint); }
.frame .end, .drop .end { text-anchor: end; } .frame line { stroke: var(--arrow); } .frame circle, .frame .head { fill: var(--arrow); } .witness { opacity: 0.45; }
.drop line, .drop path { stroke: var(--drop); stroke-width: 2; fill: none; } .drop line { stroke: var(--drop); stroke-dasharray: 5 4; }
.drop text { fill: var(--drop); font-weight: bold; }
.network rect { fill: var(--back); stroke: var(--faint); } .network .node rect { fill: var(--head); } .network .child rect { stroke: var(--arrow); }
.network .switch { fill: var(--head); } .network .name { font-weight: bold; }
details details, details > p, details > ul, details > .wide, details > .drawing { margin-left: 1rem; } summary { padding: 0.15rem 0; }
@media print { .wide { max-height: none; overflow: visible; } thead th, tbody th { position: static; } nav, form { display: none; } }
td .value { display: block; } li p { margin: 0 0 0 1rem; } li span { padding: 0 0.3rem; }
`;

/** Shows the filter, which needs this script, and hides the rows that it excludes. */
const script = verbatim`
(function () {
  var form = document.getElementById('filter');
  var words = document.getElementById('words');
  var telling = document.getElementById('telling');
  var rows = Array.from(document.querySelectorAll('tr[data-row]'));
  function apply() {
    var wanted = words.value.toLowerCase();
    rows.forEach(function (row) {
      var left = telling.checked ? row.dataset.row === 'plain' : false;
      row.hidden = left ? true : !row.textContent.toLowerCase().includes(wanted);
    });
  }
  form.hidden = false;
  form.addEventListener('input', apply);
  form.addEventListener('submit', function (event) { event.preventDefault(); });
})();
`;

/** The hash that allows a browser to use our style or script: CSP3, section 2.3.1, hash-source. */
function digest(text: Html): string {
  return `'sha256-${createHash('sha256').update(String(text)).digest('base64')}'`;
}

/**
 * A page without external resources. Its policy forbids all network access, all forms, and every style and script
 * except its own. Even text that broke out of its element could do nothing.
 */
export function page(title: string, body: HtmlValue): string {
  const policy = [
    `default-src 'none'`,
    `style-src ${digest(style)}`,
    `script-src ${digest(script)}`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  const whole = html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="referrer" content="no-referrer" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${verbatim`<style>${style}</style>`}
      </head>
      <body>
        ${body} ${verbatim`<script>${script}</script>`}
      </body>
    </html> `;
  return whole.toString();
}
