import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { errorOf } from '../../core/error.test-support.js';
import { CommandLog } from '../../remote/command-log.js';
import { DeclaredSwitch } from './declared-switch.js';
import { lacking } from '../../core/missing-prerequisite.test-support.js';
import { Scopes } from '../scopes.js';

describe('a switch that a command sets', () => {
  let folder: string;
  let scopes: Scopes;
  let log: CommandLog;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-hook-'));
    scopes = new Scopes();
    log = new CommandLog();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A switch whose command records its arguments, and then runs the given script. */
  function hooked(hairpin: Record<string, boolean>, script = ''): DeclaredSwitch {
    const command = join(folder, 'hook');
    writeFileSync(command, `#!/bin/sh\necho "$*" >>${folder}/calls\n${script}\n`);
    chmodSync(command, 0o755);
    return new DeclaredSwitch({ hairpin, driver: { command: ['env', command] } }, scopes, log);
  }

  const calls = () => {
    const file = join(folder, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };

  it('is asked only for what is not so already, and to take it back when the scope ends', async () => {
    const sw = hooked({ node1: false });
    await sw.set('node1', 'hairpin', false);
    expect(calls()).to.deep.equal([]);
    await scopes.within('a suite', async () => {
      await sw.set('node1', 'hairpin', true);
      await sw.set('node1', 'hairpin', true);
      sw.requireKnownReflection('node1');
      expect(calls()).to.deep.equal(['hairpin node1 on']);
    });
    expect(calls()).to.deep.equal(['hairpin node1 on', 'hairpin node1 off']);
    sw.requireKnownReflection('node1');
    const argvs = log.between(0).filter(({ kind }) => kind === 'hook');
    expect(argvs.map(({ argv }) => argv.slice(-3).join(' '))).to.deep.equal(calls());
  });

  it('is made what suites take for granted for as long as there is the lab', async () => {
    const sw = hooked({ node1: true, node2: false });
    await sw.prepare();
    sw.requireKnownReflection('node1');
    await scopes.close();
    expect(calls()).to.deep.equal(['hairpin node1 off', 'hairpin node1 on']);
  });

  it('is not asked where nobody knows how it was: it could not be put back', async () => {
    const sw = hooked({});
    await sw.prepare();
    expect(await lacking(() => sw.set('node1', 'hairpin', true))).to.match(/is not known/);
    expect(calls()).to.deep.equal([]);
  });

  it('lacks what its command says that it cannot do', async () => {
    const sw = hooked({ node1: false }, 'echo "no such thing on this model" >&2; exit 3');
    const words = await lacking(() => sw.set('node1', 'hairpin', true));
    expect(words).to.equal('the switch cannot be set (hairpin node1 on): no such thing on this model');
    await scopes.close();
    expect(calls(), 'nothing to take back').to.deep.equal(['hairpin node1 on']);
  });

  it('is an error where its command fails, and is asked to take back what that may have done', async () => {
    const sw = hooked({ node1: false }, '[ "$3" = off ] || { echo "login failed" >&2; exit 1; }');
    const error = await errorOf(sw.set('node1', 'hairpin', true));
    expect(error).to.include({ code: 'LAB_DAMAGED' });
    expect(error.evidence).to.match(/login failed\nended with 1$/);
    await scopes.close();
    expect(calls()).to.deep.equal(['hairpin node1 on', 'hairpin node1 off']);
  });

  it('is an error where there is no such command', async () => {
    const sw = new DeclaredSwitch(
      { hairpin: { node1: false }, driver: { command: [join(folder, 'none')] } },
      scopes,
      log,
    );
    expect(await errorOf(sw.set('node1', 'hairpin', true))).to.include({ code: 'LAB_DAMAGED' });
  });
});
