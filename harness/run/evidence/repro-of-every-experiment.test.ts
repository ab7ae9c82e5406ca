import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { runInLabs, type Reproduction } from '../run-suites.test-support.js';

/** How many scripts run side by side. They mostly wait for replies that do not come. */
const sideBySide = 3 * availableParallelism();

/**
 * Runs every experiment in sandboxes, then the script of each as a reader would: in separate namespaces, without
 * macvlab. It takes about two minutes of processor time.
 */
describe('repro.sh of every experiment of the sandbox (needs root)', function reproductions() {
  this.timeout(900_000);
  let folder: string;

  before(function needsRoot() {
    if (process.geteuid?.() !== 0) this.skip();
  });
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-repro-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  async function runScript(script: string, name = 'repro.sh') {
    const file = join(folder, name);
    writeFileSync(file, script);
    const child = spawn('sh', [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = once(child, 'close');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    return { status: child.exitCode, stdout, stderr, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' };
  }

  /** A difference between a script's run and the record; undefined if there is none. */
  async function difference({ title, script, pings }: Reproduction, number: number): Promise<string | undefined> {
    const { status, stdout, stderr, lastLine } = await runScript(script, `${number}.sh`);
    const asserted = pings.findLast(({ wasAsserted }) => wasAsserted) ?? pings.at(-1);
    const told = pings.filter(({ what, outcome }) => !stdout.includes(`\n== ${what}: ${inScript(outcome)}; `));
    const ending = asserted ? `${inScript(asserted.outcome)}: macvlab ` : 'no ping decides: ';
    const wrong = [
      ...(status === 0 ? [] : [`status ${status}: ${stderr}`]),
      ...told.map(({ what, outcome }) => `${what} is not told as ${outcome}`),
      ...(lastLine.startsWith(ending) ? [] : [`it ends with "${lastLine}"`]),
      ...(stderr.includes('\n+ ') ? ['it traces its commands'] : []),
    ];
    return wrong.length === 0 ? undefined : `${title}: ${wrong.join('; ')}\n${stdout}`;
  }

  /** ping itself accepts any answer, and a request that was never sent is not answered. */
  function inScript(outcome: Reproduction['pings'][number]['outcome']): string {
    return outcome === 'answered' || outcome === 'misdelivered' ? 'answered' : 'lost';
  }

  it('each experiment: its script sends the same pings, with the same outcome', async () => {
    const { reproductions, records } = await runInLabs({
      filters: [],
      out: folder,
      labs: { sandbox: 'plain' },
      jobs: 2,
    });
    const performed = records.filter(({ verdict }) => verdict !== 'skipped');
    expect(performed.filter(({ verdict }) => verdict !== 'passed').map(({ reason }) => reason)).to.deep.equal([]);
    expect(reproductions).to.have.lengthOf(performed.length).above(100);
    const waiting = [...reproductions.entries()];
    const differences: (string | undefined)[] = [];
    const runSome = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift())
        differences.push(await difference(next[1], next[0]));
    };
    await Promise.all(Array.from({ length: sideBySide }, runSome));
    expect(differences).to.have.lengthOf(reproductions.length);
    expect(differences.filter((each) => each !== undefined).join('\n\n')).to.equal('');
  });

  it('a failed experiment: its script tells what macvlab expected and saw, and that it comes out otherwise here', async () => {
    const out = join(folder, 'reports');
    const { records, run } = await runInLabs({ filters: ['A1.3'], out, labs: { sandbox: 'reflecting' } });
    const failed = records.find(({ key }) => key === 'a1-vepa-to-sibling');
    expect(failed).to.include({ verdict: 'failed' });
    const file = failed?.evidence.find(({ kind }) => kind === 'repro')?.file ?? '';
    const script = readFileSync(join(out, run.id, file), 'utf8');
    const { status, lastLine, stdout } = await runScript(script);
    expect(lastLine).to.match(/^lost: macvlab expected the ping from ns1 to ns2 \(\S+\) to be lost, and saw answered$/);
    expect(stdout).to.match(/^node1\/eth1 out {2}\d\d:\d\d:.*ARP.*who-has/m);
    expect(status).to.equal(1);
  });

  it('a step that fails: the script ends with it, and with 2', async () => {
    const { reproductions } = await runInLabs({ filters: ['A1.1'], out: folder, labs: { sandbox: 'plain' } });
    const [{ script } = { script: '' }] = reproductions;
    const { status, stderr, stdout } = await runScript(script.replaceAll('link eth1', 'link eth9'));
    expect(status).to.equal(2);
    expect(stderr)
      .to.include('Cannot find device')
      .and.to.match(/^this step failed, .*ip -n node1 link add link eth9/m);
    expect(stdout).not.to.include('macvlab');
  });

  it('a mode other than the recorded one: the script ends with 1', async () => {
    const { reproductions } = await runInLabs({ filters: ['A1.1'], out: folder, labs: { sandbox: 'plain' } });
    const sibling = reproductions.find(({ title }) => title.includes('sibling'))?.script ?? '';
    const { status, lastLine } = await runScript(sibling.replaceAll('mode bridge', 'mode private'));
    expect(lastLine).to.match(/^lost: macvlab .* and saw answered$/);
    expect(status).to.equal(1);
  });
});
