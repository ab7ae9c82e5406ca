import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { convert } from 'xmlbuilder2';
import { validateXML } from 'xmllint-wasm';
import { MacvlabError } from '../core/error.js';
import { readRun } from '../run/read-run.js';
import { junitXml } from './run/junit.js';
import { LineProgress } from './run/progress.js';
import { aRecord, aRun } from './run/results.test-support.js';
import { terminalTable } from './run/terminal.js';

/** A schema that accepts all well-formed content. */
const anything = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="testsuites" type="xs:anyType"/>
</xs:schema>`;

/** A run from another user: its files are only read and shown, regardless of their content. */
describe('the records of somebody else’s run', function hostile() {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-hostile-'));
    mkdirSync(join(folder, 'records'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const piece = fc.constantFrom(
    ...['<script>alert(1)</script>', '"><img src=x onerror=y>', ']]>', '<!--', '&#0;', '&lt;', "' onclick='", '\u0000'],
    ...[
      '\u001b[2J',
      '\u001b]0;title\u0007',
      '\u009b2J',
      '\u202e',
      '\ud800',
      '\ufffe',
      '\r',
      '\n',
      '\t',
      '\u0008',
      '\u007f',
    ],
    ...['[[ATTACHMENT|/etc/shadow]]', '[[', ']]', '|', '$(touch made)', '`touch made`', '../..', '-rf', '__proto__'],
    ...['é', '日本語', '🦊', 'constructor', 'a', ' ', '=', ':', '@', '%s', '{{', '${a}'],
  );
  const text = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));

  it('are shown as text in JUnit and on a terminal, whatever they say', async () => {
    const documents: string[] = [];
    const verdict = fc.constantFrom('passed' as const, 'failed' as const, 'error' as const, 'skipped' as const);
    await fc.assert(
      fc.asyncProperty(verdict, fc.array(text, { minLength: 13, maxLength: 13 }), async (outcome, words) => {
        const [id = '', title = '', suite = '', reason = '', key = '', value = '', ...more] = words;
        const [code = '', message = '', details = '', next = '', file = '', machine = '', startedAt = ''] = more;
        const record = aRecord({
          ...{ id, title, suite, file, reason, verdict: outcome, modes: [value], kernel: machine, lab: key, startedAt },
          ...{ observed: { [key]: value }, failure: { code, message, details, next } },
          evidence: [{ kind: 'frames', file: `evidence/${file.replaceAll('..', '')}`, title }],
        });
        writeFileSync(join(folder, 'run.json'), JSON.stringify(aRun({ machine, tools: { [key]: value }, startedAt })));
        writeFileSync(join(folder, 'records/001.json'), JSON.stringify(record));
        const results = await readRun(folder);

        const xml = junitXml(results);
        expect(() => convert(xml, { format: 'object' }), xml).not.to.throw();
        documents.push(xml);
        // No text has become an element, and only the evidence is attached.
        expect(new Set(xml.match(/<[a-z!][\w-]*/g))).to.satisfy((tags: Set<string>) =>
          [...tags].every((tag) =>
            /^<(testsuites?|testcase|properties|property|failure|error|skipped|system-out)$/.test(tag),
          ),
        );
        const output = /<system-out>([^]*)<\/system-out>/.exec(xml)?.[1] ?? '';
        expect(output.match(/\[\[ATTACHMENT\|/g) ?? [], output).to.have.lengthOf(outcome === 'passed' ? 0 : 1);
        expect(output).not.to.match(/\[\[ATTACHMENT\|\/etc\/shadow/);

        const shown = [terminalTable(results, { width: 100, colour: false })];
        const out = new Writable({ write: (chunk, _, done) => (shown.push(String(chunk)), done()) });
        new LineProgress(out, false).testEnded(results.records[0]!);
        // eslint-disable-next-line no-control-regex -- control characters are what this is about
        expect(shown.join('\n')).not.to.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        expect(readdirSync(folder).sort()).to.deep.equal(['records', 'run.json']);
      }),
      { numRuns: 150 },
    );
    // libxml2 checks the characters that XML allows; the other parser accepts any.
    const xml = documents.map((contents, index) => ({ fileName: `${index}.xml`, contents }));
    const { valid, rawOutput } = await validateXML({ xml, schema: anything });
    expect(valid, rawOutput).to.equal(true);
    const damaged = {
      fileName: 'damaged.xml',
      contents: documents[0]!.replace('<testsuite ', '<testsuite x="\u0001" '),
    };
    expect(await validateXML({ xml: damaged, schema: anything })).to.have.property('valid', false);
  });

  it('are refused where they are no files: reading them would never end', async () => {
    writeFileSync(join(folder, 'run.json'), JSON.stringify(aRun()));
    for (const [program, ...words] of [['mkfifo'], ['ln', '-s', '/dev/zero'], ['mkdir']] as [string, ...string[]][]) {
      execFileSync(program, [...words, join(folder, 'records/001.json')]);
      const error: unknown = await readRun(folder).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'USAGE', evidence: 'it is no file' });
      rmSync(join(folder, 'records/001.json'), { recursive: true });
    }
  });

  it('change nothing of ours by the names of their values', async () => {
    writeFileSync(join(folder, 'run.json'), JSON.stringify(aRun()));
    const forged = JSON.stringify(aRecord()).replace('"observed":{', '"observed":{"__proto__":"x","toString":"y",');
    writeFileSync(join(folder, 'records/001.json'), forged);
    const results = await readRun(folder);
    expect(junitXml(results)).to.include('observed.toString=y');
    expect({}).not.to.have.property('x');
    expect(Object.prototype.toString.call({})).to.equal('[object Object]');
  });
});
