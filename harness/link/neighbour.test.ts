import { expect } from 'chai';
import { errorOf } from '../core/error.test-support.js';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import { quoteArgument } from '../remote/quote.js';
import { flushNeighbours, readNeighbours } from './neighbour.js';

/** A real ip and kernel, with a wrapper around ip that reports several times that a neighbour has disappeared. */
describe('forgetting neighbours (needs root)', () => {
  let sandbox: TestSandbox;

  beforeEach(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('a', 'b');
    await sandbox.cable('a', 'b');
    await sh('mount -t tmpfs own /usr/local/bin');
    for (const [stack, address] of [
      ['a', '10.0.0.2'],
      ['b', '10.0.0.1'],
    ] as const) {
      await sandbox.ip(`-n ${stack} neighbour replace ${address} lladdr 02:00:00:00:00:bb nud stale dev eth0`);
    }
  });
  afterEach(() => sandbox?.close());

  async function sh(script: string): Promise<void> {
    const { status, stderr } = await sandbox.machine.run(['sh', '-c', script]);
    expect(status, stderr).to.equal(0);
  }

  async function saysGone(times: number): Promise<void> {
    // An ip that reads lines, of which it answers those that flush by itself.
    const script = [
      '#!/bin/sh',
      'case "$*" in *-batch*) ;; *) exec /sbin/ip "$@" ;; esac',
      'while IFS= read -r line; do',
      '  case $line in *flush*)',
      '    echo >>/run/asked',
      `    [ "$(wc -l </run/asked)" -gt ${times} ] || {`,
      '      echo "Failed to send flush request: No such file or directory"; echo "Command failed -:1"; continue; } >&2 ;;',
      '  esac',
      '  echo "$line"',
      'done | /sbin/ip "$@"',
      '',
    ].join('\n');
    await sh(`printf %s ${quoteArgument(script)} >/usr/local/bin/ip; chmod +x /usr/local/bin/ip`);
  }

  const flush = () =>
    flushNeighbours([{ stack: sandbox.stack('a') }, { stack: sandbox.stack('b'), network: '10.0.0.0/24' }]);
  const known = async (name: string) => (await readNeighbours(sandbox.stack(name))).map(({ mac }) => mac);

  it('is begun again when one has gone by itself meanwhile, on that stack, and the others are flushed as well', async () => {
    await saysGone(3);
    await flush();
    expect([...(await known('a')), ...(await known('b'))]).not.to.include('02:00:00:00:00:bb');
    const flushes = sandbox.log.between(0).filter(({ argv }) => argv.includes('flush'));
    expect(flushes.map(({ where }) => where).sort()).to.deep.equal(['a', 'a', 'a', 'b', 'b']);
  });

  it('is an error when that does not end', async () => {
    await saysGone(1000);
    const error = await errorOf(flush());
    expect(error).to.have.property('code', 'LINK_REFUSED');
    expect(error.message).to.contain('Failed to send flush request');
    expect(await known('a')).to.include('02:00:00:00:00:bb');
  });
});
