import { execFileSync, spawnSync } from 'node:child_process';
import { expect } from 'chai';

const module = new URL('output.js', import.meta.url).href;

/** The text that a call of a function prints, on both outputs. */
function printed(call: string): string {
  const script = `import { print, printJson, notice } from ${JSON.stringify(module)}; ${call}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

describe('what commands print', () => {
  it('obeys nobody but us: others’ words are shown', () => {
    const words = '"\\u001b[32mok\\u001b[39m \\u001b[2J\\u001b]0;title\\u0007\\u202e\\u0008é"';
    for (const name of ['print', 'notice'])
      expect(printed(`${name}(${words}, "second")`)).to.equal('\u001b[32mok\u001b[39m \ufffd␈é\nsecond\n');
  });

  it('takes the columns of the terminal, else those of COLUMNS, else 100', () => {
    const widths = (COLUMNS: string) => {
      const script = `import { widthOf } from ${JSON.stringify(module)}; console.log(widthOf({ columns: 60 }), widthOf({}))`;
      return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        encoding: 'utf8',
        env: { ...process.env, COLUMNS },
      }).trim();
    };
    expect(['40', '', 'wide', '0'].map(widths)).to.deep.equal(['60 40', '60 100', '60 100', '60 100']);
  });

  it('is the same value as JSON, with nothing that a terminal obeys', () => {
    const value = { 'a\u202e': ['\u001b[2J', '\u009b2J\u007f', 'é 日本 🦊', '\ud800', '\u200f\ufffe'] };
    const json = printed(`printJson(${JSON.stringify(value)})`);
    expect(JSON.parse(json)).to.deep.equal(value);
    expect(json)
      .to.include('é 日本 🦊')
      .and.to.match(/^[\n\x20-\x7eé日本🦊]+$/u);
    expect(printed(`printJson(${JSON.stringify(value)}, 0)`).trimEnd()).not.to.include('\n');
  });
});
