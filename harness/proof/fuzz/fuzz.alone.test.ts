import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bounded } from './bounded.js';
import { fuzz } from './fuzz.js';
import { mutate } from './mutate.js';
import { pumped } from './pump.js';
import { randomFrom } from './random.js';
import { must, textTarget } from './target.js';
import { targets } from './targets/targets.js';

const seed = 20261121;

describe('fuzzing', function () {
  this.timeout(120_000);

  it('finds its way by what is reached', () => {
    const program = fileURLToPath(new URL('hidden.test-support.js', import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [program, 'guided'], { encoding: 'utf8' });
    expect([stdout, stderr]).to.deep.equal(['Error: found', '']);
  });

  it('finds a number that is none, and gives the input that makes it', async () => {
    const target = textTarget('number', ['time=1.5 ms'], [], (text) => Number(/time=([\d.]+)/.exec(text)?.[1] ?? 0));
    const { finding } = await fuzz(target, { seed, inputs: 5000, guided: false });
    expect(String(finding?.error)).to.match(/^Unsound: it is (NaN|Infinity)$/);
    expect(Number(/time=([\d.]+)/.exec(Buffer.from(finding!.input).toString())?.[1])).not.to.satisfy(Number.isFinite);
  });

  it('finds what takes the square of the time', async () => {
    const target = textTarget('slow', ['12 frames captured'], [], (text) => /(\d+) frames captured/.exec(text));
    const read = bounded(target);
    let failure: unknown;
    for (const input of pumped(target)) failure ??= await read(input).catch((error: unknown) => error);
    expect(String(failure)).to.match(/65\d{3} bytes took \d+ ms|timed out/);
  });

  it('is refused where nothing would be read', () => {
    const program = fileURLToPath(new URL('main.js', import.meta.url));
    for (const words of [['1', 'no such target'], ['0'], ['no-such-file']]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' });
      expect([status, stdout], stderr).to.deep.equal([2, '']);
      expect(stderr).to.contain('USAGE: ').and.to.contain('pcap reader');
    }
  });

  it('makes the same inputs of the same seed, and few twice', () => {
    const [target] = targets;
    const made = () => {
      const random = randomFrom(seed);
      return Array.from({ length: 200 }, () => Buffer.from(mutate(target!, target!.seeds, random)).toString('hex'));
    };
    expect(made()).to.deep.equal(made());
    expect(new Set(made()).size).to.be.above(150);
  });
});

describe('hostile bytes', function () {
  this.timeout(120_000);

  for (const target of targets) {
    it(`${target.name}: refused or read, whatever they are`, async () => {
      const { finding, inputs } = await fuzz(target, { seed, inputs: 64, guided: false });
      const what =
        finding && `${String(finding.error)} for ${JSON.stringify(Buffer.from(finding.input).toString('latin1'))}`;
      must(finding === undefined, what ?? '');
      expect(inputs).to.be.at.least(64);
    });

    if (target.longest !== undefined) {
      it(`${target.name}: in a time that the length bounds`, async () => {
        const read = bounded(target);
        let count = 0;
        for (const input of pumped(target, 11)) {
          await read(input);
          count += 1;
        }
        expect(count).to.be.above(10);
      });
    }
  }
});
