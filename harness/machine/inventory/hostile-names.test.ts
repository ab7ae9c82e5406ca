import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { findProgram } from '../../setup/machine.mjs';
import { inventorySchema } from './file/inventory-schema.js';
import { wayTo } from './reach/ssh-command.js';
import { needs, needsRoot } from '../../setup/needs.test-support.js';

const machine = inventorySchema.shape.machines.shape.node1;
const { nic, host, user, jump, identity } = machine.shape;

const piece = fc.constantFrom(
  ...[
    '$(>made)',
    '`>made`',
    ';>made',
    '|',
    '&',
    '>made',
    '<',
    "'",
    '"',
    '\\',
    '#',
    '\n',
    '\r',
    '\t',
    ' ',
    '\u0000',
    '\u007f',
  ],
  ...['-', '--', '-oProxyCommand=x', '%', '%h', '$', '{', '}', '*', '~', '@', ':', '[', ']', '.', '..', '/', ',', '='],
  ...[
    'é',
    '日本',
    '🦊',
    '\u202e',
    '\u00a0',
    'eth',
    '0',
    '1',
    'a',
    'abcdefghijklmno',
    'abcdefghijklmnop',
    'localhost',
    'all',
  ],
);
const text = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));

describe('names in an inventory', function names() {
  this.timeout(120_000);

  it('are refused where a program would take them for an option, a line more or a comment', () => {
    for (const bad of [
      '-eth1',
      '--',
      'a b',
      'a#b',
      "a'b",
      'a"b',
      'a\\b',
      'a\nb',
      'a\u0007b',
      'a/b',
      'abcdefghijklmnop',
      '日本日本日本',
      '.',
    ])
      expect(nic.safeParse(bad).success, JSON.stringify(bad)).to.equal(false);
    for (const good of ['eth1', 'enp0s31f6', 'br-lan', 'abcdefghijklmno', 'é', 'a$b', 'a;b', '$(id)'])
      expect(nic.safeParse(good).success, good).to.equal(true);
    for (const of of [host, user, jump])
      for (const bad of ['-x', 'a b', 'a\nb', 'a;b', 'a`b`', "a'b", 'a"b', 'a|b', 'a&b', ''])
        expect(of.safeParse(bad).success, JSON.stringify(bad)).to.equal(false);
  });

  it('of network cards mean the same card to `ip -batch` as to ip, when they are accepted (needs root)', function cards() {
    needsRoot(this);
    // In its own network namespace: creates each NIC by an argument, sets it by a line, and finds it by an argument.
    const script = `made=0
      for name; do
        ip link add name "$name" type bridge 2>/dev/null || continue
        printf 'link set dev %s mtu 1400\\n' "$name" | ip -batch - || { echo "refused: $name"; exit 1; }
        ip -o link show dev "$name" | grep -q ' mtu 1400 ' || { echo "another: $name"; exit 1; }
        made=$((made + 1))
      done; echo "made $made"`;
    const accepted = fc.sample(text, 3000).filter((name) => nic.safeParse(name).success);
    const argv = ['--net', 'sh', '-c', script, 'sh', ...[...new Set(accepted)].slice(0, 80)];
    const { stdout } = spawnSync('unshare', argv, { encoding: 'utf8' });
    expect(Number(/^made (\d+)$/m.exec(stdout)?.[1]), stdout).to.be.above(30);
  });

  describe('reach ssh through hosts on the way', () => {
    let folder: string;
    let programs: string;

    before(function needsSsh() {
      needs(this, 'ssh');
    });
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'macvlab-names-'));
      programs = join(folder, 'programs');
      mkdirSync(programs);
      // The ssh that ssh starts for a jump host: it records its arguments, and connects to nothing.
      writeFileSync(join(programs, 'ssh'), `#!/bin/sh\nprintf '%s\\0' "$@" >'${folder}/notes'\n`);
      chmodSync(join(programs, 'ssh'), 0o755);
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('as they are: the shell between two of them takes nothing of them for its own', () => {
      const onTheWay = fc.constantFrom('first.invalid', 'fe80::1%h', 'fe80::1%eth0');
      const path = text.filter((name) => identity.safeParse(`/k/${name}`).success && !/\$\{|\\/.test(name));
      fc.assert(
        fc.property(path, fc.constantFrom('ops', 'DOM\\ops', 'a$b', 'x@y'), onTheWay, (file, who, first) => {
          const last = 'last.invalid';
          const way = wayTo({
            name: 'node1',
            host: last,
            jump: `${who}@${first.includes(':') ? `[${first}]` : first}:2222`,
            identity: `/k/${file}`,
            sudo: true,
          });
          const argv = ['-F', '/dev/null', ...way.options, way.destination, 'true'];
          const env = { PATH: programs, SHELL: '/bin/sh', HOME: folder };
          const { stderr } = spawnSync(findProgram('ssh') ?? '', argv, { cwd: folder, env, encoding: 'utf8' });
          const notes = join(folder, 'notes');
          expect(existsSync(notes), stderr).to.equal(true);
          const given = readFileSync(notes, 'utf8').split('\0').slice(0, -1);
          expect(given.slice(-7)).to.deep.equal(['-l', who, '-p', '2222', '-W', `[${last}]:22`, first]);
          expect(given).to.include(`IdentityFile="/k/${file.replaceAll('%', '%%')}"`);
          expect(readdirSync(folder).sort()).to.deep.equal(['notes', 'programs']);
        }),
        { numRuns: 60 },
      );
    });
  });
});
