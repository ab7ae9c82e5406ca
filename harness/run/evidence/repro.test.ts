import { execFileSync, spawnSync } from 'node:child_process';
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
import type { LoggedCommand } from '../../remote/command-log.js';
import { reproScript } from './repro.js';

const command = (kind: LoggedCommand['kind'], ...argv: string[]): LoggedCommand => {
  return { at: 0, where: 'node1', namespace: undefined, argv, kind };
};

const record = {
  id: 'A0.12',
  title: 'docker: a title',
  lab: 'sandbox',
  kernel: '6.12',
  startedAt: '2026-11-21T00:00:00.000Z',
};

describe('the reproduction of a test with a container engine', () => {
  const script = reproScript({
    record,
    wiring: [],
    setUp: [],
    commands: [
      command('engine', 'docker', 'network', 'create', 'mac vlan'),
      command('engine', 'sh', '-c', 'first\nsecond'),
      command('likeness', 'ip', 'netns', 'add', 'node1-c1'),
      command('reading', 'docker', 'inspect', 'c1'),
    ],
  });
  const performed = script.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  it('asks nothing of the reader’s own engine, and tells what was asked', () => {
    expect(performed.join('\n')).not.to.match(/docker|first|second/);
    expect(script).to.include("# by a container engine: docker network create 'mac vlan'\n");
    expect(script).to.include("# by a container engine: sh -c 'first\n# second'\n").and.not.to.include('inspect');
  });

  it('performs what makes the like of what the engine has made', () => {
    expect(performed).to.include('step ip netns add node1-c1');
  });

  it('says of real hosts what it cannot show, and of other labs nothing of that', () => {
    const of = (lab: string) => reproScript({ record: { ...record, lab }, wiring: [], setUp: [], commands: [] });
    expect(of('inventory')).to.match(/^# The hosts and the switch were real\. .*\n# .*not what the real switch/m);
    expect(of('sandbox')).not.to.include('real');
  });

  it('is a script that shells accept', () => {
    execFileSync('sh', ['-n'], { input: script, stdio: 'pipe' });
  });
});

/** Runs scripts in a shell. The programs in them are replaced by ones that only record their arguments and input. */
describe('a reproduction with names and words of others', function hostile() {
  this.timeout(60_000);
  let folder: string;
  let programs: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-repro-'));
    programs = join(folder, 'programs');
    mkdirSync(programs);
    const note = '#!/bin/sh\n{ printf "%s\\0" "${0##*/}" "$@"; printf "\\1"; } >>"$NOTES"\n';
    for (const name of ['ip', 'bridge', 'ping', 'mount', 'mkdir', 'sleep', 'tcpdump']) {
      // A program that reads input records it as well.
      const input = name === 'bridge' ? 'while IFS= read -r line; do printf "%s\\2" "$line"; done >>"$NOTES"\n' : '';
      writeFileSync(join(programs, name), note + input);
      chmodSync(join(programs, name), 0o755);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The argument lists of the script's programs, and the input of those that read it. */
  function performed(script: string): string[][] {
    const notes = join(folder, 'notes');
    rmSync(notes, { force: true });
    const { status, error } = spawnSync('/bin/sh', ['-s'], {
      input: script,
      cwd: folder,
      env: { PATH: programs, NOTES: notes, MACVLAB_REPRO: '1' },
    });
    if (error) throw error;
    expect(status).to.be.a('number');
    expect(readdirSync(folder).sort(), 'nothing else was made').to.deep.equal(['notes', 'programs']);
    expect(existsSync(notes)).to.equal(true);
    const noted = readFileSync(notes, 'utf8').split('\u0001');
    return noted.slice(0, -1).map((one) => one.split('\0').slice(0, -1));
  }

  const piece = fc.constantFrom(
    ...[
      '$(>made)',
      '`>made`',
      '>made',
      ';>made',
      '\n>made\n',
      "'",
      '"',
      '\\',
      '-n',
      '--',
      ' ',
      '\t',
      '\r',
      '*',
      '~',
      '#',
    ],
    ...[
      'END',
      '\nEND\n',
      '\nEND\n>made\n',
      'a',
      '&',
      '|',
      '${IFS}',
      '$HOME',
      'é',
      '日本',
      '🦊',
      '\u202e',
      '!',
      'abcdefghijklmnop',
    ],
  );
  const text = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(''));
  const argv = fc.array(text, { maxLength: 5 });

  it('starts what was started, with the same arguments, and nothing else', () => {
    fc.assert(
      fc.property(argv, argv, argv, text, (words, engine, hook, said) => {
        const script = reproScript({
          record: { ...record, title: said, reason: said, kernel: said, startedAt: said },
          wiring: [],
          setUp: [command('hook', './hook', ...hook), command('engine', 'docker', ...engine)],
          commands: [command('probe', 'ping', ...words)],
        });
        const [, , ping, ...others] = performed(script);
        expect(ping).to.deep.equal(['ip', 'netns', 'exec', 'node1', 'ping', ...words]);
        expect(others).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  });

  it('feeds a command what it was fed', () => {
    for (const stdin of ['END', 'a\nEND\n>made\nEND_\nb', '$(>made)\n`>made`']) {
      const fed = { ...command('change', 'bridge', '-batch', '-'), stdin };
      const script = reproScript({ record, wiring: [], setUp: [], commands: [fed, command('probe', 'ping', 'last')] });
      const [, , , last] = performed(script);
      expect(last?.at(-1)).to.equal('last');
      expect(readFileSync(join(folder, 'notes'), 'utf8')).to.include(`${stdin.replaceAll('\n', '\u0002')}\u0002`);
    }
  });
});
