/** Tests the driver with a fake Vagrant: the commands that it gets in case of a failure, and the leftovers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { poll } from '../../core/wait.js';
import { topology } from '../topology.js';
import { claimMachines, readClaim, updateClaim } from './claim.js';
import { clearMachines } from './leftovers.js';
import { vagrantDriver } from './vagrant.js';
import { needs } from '../../setup/needs.test-support.js';

/** Records its arguments, and runs the script that has the name of the first one. */
const fakeVagrant = `#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>asked
[ ! -e "$1" ] || . "./$1"
`;

const states = (state: string) => `for machine in switch node1 node2; do echo "1,$machine,state,${state}"; done`;

describe('the Vagrant lab', function () {
  this.timeout(60_000);
  const { PATH, VAGRANT_DOTFILE_PATH, MACVLAB_VAGRANT_BOX, MACVLAB_STATE } = process.env;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-vagrant-'));
    writeFileSync(join(folder, 'vagrant'), fakeVagrant);
    chmodSync(join(folder, 'vagrant'), 0o755);
    Object.assign(process.env, {
      PATH: `${folder}${delimiter}${PATH}`,
      VAGRANT_DOTFILE_PATH: join(folder, 'machines'),
      MACVLAB_VAGRANT_BOX: 'debian/bookworm64',
      MACVLAB_STATE: join(folder, 'state'),
    });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    for (const [name, value] of Object.entries({ PATH, VAGRANT_DOTFILE_PATH, MACVLAB_VAGRANT_BOX, MACVLAB_STATE })) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  const answer = (command: string, script: string) => writeFileSync(join(folder, command), script);
  const asked = () => {
    const file = join(folder, 'asked');
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  };
  /** The error of a lab that fails to open. */
  const failure = async (): Promise<MacvlabError> => {
    const driver = vagrantDriver({});
    try {
      await driver.open(topology, () => Promise.resolve());
    } catch (error) {
      if (error instanceof MacvlabError) return error;
      throw error;
    }
    throw new Error('the lab has been opened');
  };
  const killedRun = async (made: boolean) => {
    await claimMachines();
    updateClaim({ made, owner: { pid: process.pid, startTime: 1 } });
  };

  it('removes what it has half made, and says what the machines lack', async () => {
    answer('status', states('not_created'));
    answer('up', `echo "The box 'debian/bookworm64' could not be found or" >&2; exit 1`);
    const error = await failure();
    expect(error).to.include({ code: 'VAGRANT_FAILED', exit: 3 });
    expect(error.next).to.contain('MACVLAB_VAGRANT_BOX=macvlab');
    expect(asked()).to.deep.equal(['status --machine-readable', 'up', 'destroy --force']);
    expect(readClaim()).to.equal(undefined);
  });

  it('has left nothing where Vagrant could neither make machines nor remove any', async () => {
    answer('status', states('not_created'));
    answer('up', 'exit 1');
    answer('destroy', 'exit 1');
    await failure();
    expect(readClaim()).to.equal(undefined);
  });

  it('removes the machines of a run that was killed before it makes its own', async () => {
    await killedRun(true);
    answer('status', states('not_created'));
    answer('up', 'exit 1');
    await failure();
    expect(asked().slice(0, 3)).to.deep.equal(['destroy --force', 'status --machine-readable', 'up']);
  });

  it('lets machines run that it has found, also when one does not answer', async () => {
    answer('status', states('running'));
    const config = ['switch', 'node1', 'node2'].map((name) => `Host ${name}\\n HostName 127.0.0.1\\n Port 1\\n`);
    answer('ssh-config', `printf '${config.join('')}'`);
    const error = await failure();
    expect(error).to.include({ code: 'LAB_OPEN', exit: 3 });
    expect(error.message).to.match(/the machine \w+ could not be set up/);
    expect(error.evidence).to.contain('Connection refused');
    expect(error.next).to.contain('vagrant ssh');
    expect(asked()).to.deep.equal(['status --machine-readable', 'ssh-config']);
    expect(readClaim()).to.equal(undefined);
  });

  it('has the machines no more where there can be no folder for its files', async () => {
    process.env.MACVLAB_STATE = '/dev/null/nowhere';
    const error: unknown = await failure().catch((reason: unknown) => reason);
    expect(error).to.be.an('error').with.property('message').that.contains('/dev/null/nowhere');
    expect(readClaim()).to.equal(undefined);
  });

  it('asks nothing while another has the machines', async () => {
    await claimMachines();
    expect((await failure()).message).to.contain(`in use by process ${process.pid}`);
    expect(asked()).to.deep.equal([]);
    expect(readClaim()).to.not.equal(undefined);
  });

  it('is known to have left machines until Vagrant has removed them', async () => {
    await killedRun(true);
    expect(await clearMachines({ dryRun: true })).to.equal(true);
    answer('status', states('running'));
    answer('destroy', 'exit 1');
    const failed: unknown = await clearMachines({ dryRun: false }).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(MacvlabError);
    expect(readClaim()).to.include({ made: true });
    answer('destroy', '');
    expect(await clearMachines({ dryRun: false })).to.equal(true);
    expect(readClaim()).to.equal(undefined);
    expect(asked()).to.deep.equal(['destroy --force', 'status --machine-readable', 'destroy --force']);
  });

  it('forgets a killed run that had found its machines, and leaves them alone', async () => {
    await killedRun(false);
    expect(await clearMachines({ dryRun: false })).to.equal(false);
    expect(readClaim()).to.equal(undefined);
    expect(asked()).to.deep.equal([]);
  });

  it('has Vagrant take back what it makes when it is killed, and waits for that before anything is removed', async function () {
    // Without setpriv, Vagrant runs on, and the next run removes its machines.
    needs(this, 'setpriv');
    answer('status', states('not_created'));
    answer(
      'up',
      `trap 'sleep 0.5; echo taken back >>asked; exit 1' INT; echo ready >up.ready; while :; do sleep 0.1; done`,
    );
    const driver = new URL('vagrant.js', import.meta.url).href;
    const places = new URL('../topology.js', import.meta.url).href;
    const run = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `const { vagrantDriver } = await import('${driver}');
         const { topology } = await import('${places}');
         await vagrantDriver({}).open(topology, async () => undefined);`,
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const ended = once(run, 'close');
    const ready = () => Promise.resolve(existsSync(join(folder, 'up.ready')) || undefined);
    await poll(ready, { what: 'Vagrant to be at work', deadline: 30_000 });
    run.kill('SIGKILL');
    await ended;
    expect(await clearMachines({ dryRun: false })).to.equal(true);
    expect(asked()).to.deep.equal(['status --machine-readable', 'up', 'taken back', 'destroy --force']);
  });
});
