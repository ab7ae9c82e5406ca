import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { needsRoot } from '../setup/needs.test-support.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs macvlab with one additional suite file that proves nothing, in different ways. No such run may pass. */
describe('a run with a suite that proves nothing (needs root)', function emptyProof() {
  this.timeout(60_000);
  let copy: string;

  before(function () {
    needsRoot(this);
    copy = mkdtempSync(join(tmpdir(), 'macvlab-empty-proof-'));
    const leftOut = /\.(test|test-support)\.js$|\.map$|\.tsbuildinfo$/;
    for (const part of ['dist/harness', 'dist/suites', 'package.json'])
      cpSync(join(project, part), join(copy, part), { recursive: true, filter: (file) => !leftOut.test(file) });
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  });
  after(() => {
    if (copy) rmSync(copy, { recursive: true, force: true });
  });

  /** The result of `macvlab run Z1` for a suite with this content. */
  function run(inSuite: string, inFile = ''): { status: number | null; said: string } {
    const file = join(copy, 'dist/suites/z-nothing.js');
    const imports = `
      import { expect } from '../harness/expect/expect.js';
      import { experiment, setUp, suite } from '../harness/run/experiment.js';
      const addresses = { node1: { addresses: ['10.0.0.1/24'] }, node2: { addresses: ['10.0.0.2/24'] },
        router: { addresses: ['10.0.0.254/24'] } };`;
    writeFileSync(file, `${imports}\n${inFile}\nsuite('Z', { addresses }, () => {\n${inSuite}\n});\n`);
    try {
      const main = join(copy, 'dist/harness/cli/main.js');
      const words = ['run', 'Z1', '--lab', 'sandbox', '--out', join(copy, 'reports')];
      const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8', cwd: copy });
      return { status, said: `${stdout}${stderr}` };
    } finally {
      unlinkSync(file);
    }
  }

  const sound = `experiment('Z1', 'sound: passes', { key: 'z-sound' }, async ({ lab, node1, node2 }) => {
    expect(await lab.ping(node1, node2)).to.be.answered();
  });`;
  const body = (text: string) =>
    `experiment('Z1', 'empty: is red', { key: 'z-empty' }, async ({ lab, node1, node2, switch: s }) => {\n${text}\n});`;
  const pinged = 'const ping = await lab.ping(node1, node2);';

  it('would end well with a sound one', () => {
    const { status, said } = run(sound);
    expect(said).to.match(/^1 passed, 0 failed, 0 skipped$/m);
    expect(status).to.equal(0);
  });

  for (const [what, inSuite, words, inFile] of [
    ['whose body is empty', body(''), /without having asserted anything/],
    ['whose body asserts nothing', body(pinged), /without having asserted anything/],
    [
      'whose only assertion is not called',
      body(`${pinged} expect(ping).to.be.answered;`),
      /expect\(\) that asserts nothing/,
    ],
    [
      'one assertion of which is not called',
      body(`${pinged} expect(ping).to.be.answered(); expect(ping).to.be.lost;`),
      /expect\(\) that asserts nothing[^]*z-nothing\.js:\d+/,
    ],
    [
      'whose body begins what it does not await',
      body(`void lab.ping(node1, node2);`),
      /without having asserted anything/,
    ],
    [
      'that asserts something when it has ended',
      `${body(`${pinged} expect(ping).to.be.answered();
        void node1.link().then((late) => expect(late).to.have.linkFlag('UP'));`)}
      ${sound}`,
      /an assertion of Z1 was made when that had ended/,
    ],
    [
      'that takes a loss for granted of which no frame was seen',
      body(`const ping = await lab.ping(node1, node2); ping.ping = { ...ping.ping, received: 0, refusal: undefined };
        expect(ping).to.be.lost();`),
      /no frame of the ping from node1 to node2 .* was seen anywhere/,
    ],
    [
      'with a hook of mocha that fails',
      `before(() => { throw new Error('in the hook'); });\n${sound}`,
      /a hook of mocha/,
    ],
    [
      'with a hook of mocha that fails behind its tests',
      `after(() => { throw new Error('in the hook'); });\n${sound}`,
      /a hook of mocha/,
    ],
    [
      'with a hook of mocha that skips its tests',
      `beforeEach(function () { this.skip(); });\n${sound}`,
      /a hook of mocha/,
    ],
    ['whose only assertion is about a constant', body('expect(1).to.equal(1);'), /has asked the lab nothing/],
    [
      'whose only assertion, behind a ping, is about a constant',
      body(`${pinged} expect(1).to.equal(1);`),
      /asserts nothing about any of them/,
    ],
    [
      'that says something of every frame, where there is none',
      body(`${pinged} expect(ping.seen(node2.wire).filter(() => false).every(() => false)).to.equal(true);`),
      /in a list that is empty/,
    ],
    [
      'whose body does not await a ping, and hides what comes of it',
      body(`${pinged} expect(ping).to.be.answered();
        lab.ping(node1, node2).then((late) => expect(late).to.be.lost()).catch(() => undefined);`),
      /still under way/,
    ],
    [
      'with a set-up that does not call its assertion',
      `setUp(async ({ node1 }) => void expect(await node1.link()).to.have.linkFlag);\n${sound}`,
      /the set-up of “Z” has an expect\(\) that asserts nothing/,
    ],
    ['with a set-up that fails', `setUp(() => Promise.reject(new Error('in the set-up')));\n${sound}`, /in the set-up/],
    [
      'with a set-up that never ends',
      `setUp(async ({ lab }) => { void lab.close(); await new Promise(() => undefined); });\n${sound}`,
      /the lab is gone/,
    ],
    ['with a test that is none of ours', `${sound}\nit('Z1 passes', () => undefined);`, /is no experiment/],
    ['with a part that is skipped', `describe.skip('S', () => { ${sound} });`, /is skipped/],
    ['with a part that is chosen by itself', `${sound}\nit.only('Z1 alone', () => undefined);`, /chosen by \.only/],
    [
      'that declares nothing',
      `for (const mode of []) experiment('Z1', mode, { key: mode }, async () => undefined);`,
      /declares no experiment/,
    ],
    [
      'that has an experiment twice',
      `${sound}\n${sound}`,
      /the key “z-sound” is declared by two experiments: “Z1 sound: passes” in suites\/z-nothing\.ts, and “Z1 /,
    ],
    [
      'that has an experiment without a key',
      sound.replace("{ key: 'z-sound' }", '{}'),
      /the key “undefined” of “Z1 sound: passes” in suites\/z-nothing\.ts is malformed/,
    ],
    ['whose file cannot be loaded', sound, /ReferenceError: nowhere is not defined/, 'nowhere();'],
    ['that ends the process', body('process.exit(0);'), /./],
    [
      'that never ends',
      body(`${pinged} expect(ping).to.be.answered(); lab.close(); await new Promise(() => undefined);`),
      /./,
    ],
  ] as [string, string, RegExp, string?][]) {
    it(`is red: ${what}`, () => {
      const { status, said } = run(inSuite, inFile);
      expect(said).to.match(words);
      expect(status, said).to.equal(3);
    });
  }

  it('is red: a suite file that is gone', () => {
    const file = join(copy, 'dist/suites/a1-modes.js');
    cpSync(file, `${file}.kept`);
    unlinkSync(file);
    try {
      const { status, said } = run(sound);
      expect(said).to.include('suites/a1-modes.ts would not be performed as a whole: it declares 0 experiments');
      expect(status).to.equal(3);
    } finally {
      cpSync(`${file}.kept`, file);
    }
  });
});
