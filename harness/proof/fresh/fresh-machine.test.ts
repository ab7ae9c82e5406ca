import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { timeout, poll } from '../../core/wait.js';
import { findProgram } from '../../setup/machine.mjs';
import { needsRoot } from '../../setup/needs.test-support.js';
import { FreshMachine } from './fresh-machine.js';

/** Seconds. The value identifies the processes of the test. */
const duration = '604321';

/** Fills a root folder with the few programs that a command needs, and their libraries. */
function fewPrograms(folder: string): Promise<void> {
  for (const name of ['dev', 'mnt', 'proc', 'root', 'run', 'sys', 'home/user'])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['sh', 'cat', 'umount', 'sleep', 'id', 'hostname', 'setpriv']) {
    const program = findProgram(name) ?? '';
    const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:^|=> )\s*(\/\S+) \(/gm);
    for (const file of [program, ...[...libraries].map(([, library = '']) => library)]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      cpSync(file, join(folder, file), { dereference: true });
    }
  }
  mkdirSync(join(folder, 'etc'));
  cpSync('/etc/passwd', join(folder, 'etc/passwd'));
  cpSync('/etc/group', join(folder, 'etc/group'));
  return Promise.resolve();
}

describe('a fresh machine (needs root)', function () {
  this.timeout(60_000);
  const own = process.env.MACVLAB_CACHE;
  let cache: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'macvlab-fresh-'));
    process.env.MACVLAB_CACHE = cache;
  });
  afterEach(() => {
    if (own === undefined) delete process.env.MACVLAB_CACHE;
    else process.env.MACVLAB_CACHE = own;
    rmSync(cache, { recursive: true, force: true });
  });

  const machines = () => readdirSync(join(cache, 'fresh')).filter((name) => name.startsWith('machine-'));

  it('runs commands with files, processes and a host name of its own, and is removed', async () => {
    const log = join(cache, 'log');
    const mounts = readFileSync('/proc/self/mounts', 'utf8');
    const machine = await FreshMachine.make(log, new AbortController().signal, fewPrograms);
    try {
      const line = 'hostname; echo $$; id -u; ls /etc/shadow /etc/passwd 2>/dev/null || echo /etc/*; exit 7';
      const { status, lines } = await machine.run({ line });
      expect(status).to.equal(7);
      const texts = lines.map(({ text }) => text);
      expect(texts[0]).to.equal('fresh');
      expect(Number(texts[1])).to.be.below(50);
      expect(texts.slice(2)).to.deep.equal(['0', '/etc/group /etc/passwd']);
      expect(readFileSync(log, 'utf8')).to.contain('== root: hostname').and.to.contain('/etc/group /etc/passwd');
      const environment = { MACVLAB_TEST: 'given' };
      process.env.MACVLAB_OTHER = 'not passed on';
      const seen = await machine.run({ line: 'echo "$MACVLAB_TEST$MACVLAB_OTHER $HOME"', environment });
      expect(seen.lines.map(({ text }) => text)).to.deep.equal(['given /root']);
    } finally {
      delete process.env.MACVLAB_OTHER;
      await machine.remove();
    }
    expect(machines()).to.deep.equal([]);
    expect(readFileSync('/proc/self/mounts', 'utf8')).to.equal(mounts);
  });

  it('ends with the process that has made it, even by SIGKILL, and leaves no file', async () => {
    const module = fileURLToPath(new URL('./fresh-machine.js', import.meta.url));
    const test = fileURLToPath(import.meta.url);
    // The program imports `fewPrograms` from this file, outside mocha.
    const program = `globalThis.describe = () => {};
      const [{ FreshMachine }, { fewPrograms }] = [await import('${module}'), await import('${test}')];
      const machine = await FreshMachine.make('${cache}/log', new AbortController().signal, fewPrograms);
      const running = machine.run({ line: 'echo begun; sleep ${duration}' });
      await running;`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const wait = { deadline: timeout(20_000) };
    try {
      await poll(() => Promise.resolve(/^begun$/m.test(logged(cache)) || undefined), {
        what: 'the command to begin',
        ...wait,
      });
      // The shell prints before it starts the next command.
      await poll(() => Promise.resolve(sleepers().length === 1 || undefined), {
        what: 'the command to sleep',
        ...wait,
      });
    } finally {
      child.kill('SIGKILL');
    }
    await once(child, 'exit');
    await poll(() => Promise.resolve(machines().length === 0 || undefined), {
      what: 'the machine to be removed',
      ...wait,
    });
    expect(sleepers()).to.deep.equal([]);
  });
});

/** Process ids of the test's command. */
function sleepers(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === ['sleep', duration, ''].join('\0');
    } catch {
      return false;
    }
  });
}

function logged(cache: string): string {
  try {
    return readFileSync(join(cache, 'log'), 'utf8');
  } catch {
    return '';
  }
}

export { fewPrograms };
