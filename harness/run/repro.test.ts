import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import type { LoggedCommand } from '../remote/command-log.js';
import { reproScript } from './repro.js';

const command = (kind: LoggedCommand['kind'], ...argv: string[]): LoggedCommand => {
  return { at: 0, where: 'node1', namespace: undefined, argv, kind };
};

const record = { id: 'A0.12', title: 'docker: a title', kernel: '6.12', startedAt: '2026-11-21T00:00:00.000Z' };

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
    expect(performed).to.include('ip -n node1 netns add node1-c1');
  });

  it('is a script that shells accept', () => {
    execFileSync('sh', ['-n'], { input: script, stdio: 'pipe' });
  });
});
