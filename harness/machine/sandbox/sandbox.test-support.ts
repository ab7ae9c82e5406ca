/** Sandboxes for the tests of the folders below the lab: real sshds and a real network. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Context } from 'mocha';
import { CommandLog } from '../../remote/command-log.js';
import { newKeyPair } from '../../remote/keys.js';
import { NetworkStack } from '../../remote/network-stack.js';
import type { Session } from '../../remote/session.js';
import { connectSandbox, sandboxSshd } from './connect.js';
import type { LabKeys } from '../../remote/sshd.js';
import { type Init, startInit, stopInit } from './init.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/** Skips tests that this user cannot run; the suite's title mentions that it needs root. */
export function skipWithoutRoot(hook: Context): void {
  needsRoot(hook);
}

/** A sandbox with named namespaces, and sessions with it that end with it. */
export class TestSandbox {
  readonly init: Init;
  readonly keys: LabKeys;
  readonly log = new CommandLog();
  /** A session in the sandbox's own network namespace. */
  readonly machine: Session;
  readonly #sessions: Session[] = [];

  private constructor(init: Init, keys: LabKeys, machine: Session) {
    this.init = init;
    this.keys = keys;
    this.machine = machine;
    this.#sessions.push(machine);
  }

  static async open(...namespaces: string[]): Promise<TestSandbox> {
    const keys = { host: newKeyPair(), user: newKeyPair() };
    const init = await startInit(keys, namespaces);
    try {
      return new TestSandbox(init, keys, await connectSandbox(init.pid, keys, 'machine'));
    } catch (error) {
      await stopInit(init);
      throw error;
    }
  }

  /** Opens another session, in a namespace if one is named. With keys other than the sandbox's, sshd should refuse it. */
  async connect(name: string, namespace?: string, keys = this.keys): Promise<Session> {
    const session = await connectSandbox(this.init.pid, keys, name, namespace);
    this.#sessions.push(session);
    return session;
  }

  /** An sshd in the sandbox that uses its standard input and output, for a test's own transport. */
  sshd(): ChildProcessByStdio<Writable, Readable, null> {
    const enter = ['--target', String(this.init.pid), '--mount', '--pid', '--net', '--'];
    const [program, ...args] = ['nsenter', ...enter, ...sandboxSshd(), '-i'];
    return spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  }

  /** The sandbox's own stack, or that of a namespace in it, entered from the sandbox. */
  stack(namespace?: string): NetworkStack {
    return new NetworkStack(namespace ?? 'machine', this.machine, this.log, namespace);
  }

  /** Runs command lines of ip(8), with words separated by single spaces. They must succeed. */
  async ip(...lines: string[]): Promise<void> {
    const results = await this.machine.batch(lines.map((line) => ({ argv: ['ip', ...line.split(' ')] })));
    const last = results.at(-1);
    if (last?.status !== 0) throw new Error(`${last?.argv.join(' ')}: ${last?.stderr}`);
  }

  /** Two namespaces with a cable between them: eth0 at both ends, up, 10.0.0.1 and 10.0.0.2, 2001:db8::1 and ::2. */
  async cable(a: string, b: string): Promise<void> {
    await this.ip(
      // Different indexes: with equal ones, the carrier is detected up to a second late (see link-identity.ts).
      `link add eth0 netns ${a} index 101 type veth peer name eth0 netns ${b}`,
      ...[a, b].flatMap((namespace, index) => [
        `-n ${namespace} link set lo up`,
        `-n ${namespace} link set eth0 up`,
        `-n ${namespace} address add 10.0.0.${index + 1}/24 dev eth0`,
        `-n ${namespace} address add 2001:db8::${index + 1}/64 dev eth0 nodad`,
      ]),
    );
  }

  /** Replaces a program with a shell script, only in this sandbox; the script finds the program as $real. */
  async replace(program: string, script: string): Promise<void> {
    const lines = [
      'place=$(readlink -f "$(command -v "$1")")',
      '[ -e "/run/real-$1" ] || cp "$place" "/run/real-$1"',
      'printf "#!/bin/sh\nreal=/run/real-%s\n%s\n" "$1" "$2" >"/run/other-$1"',
      'chmod 755 "/run/other-$1"',
      'mount --bind "/run/other-$1" "$place"',
    ];
    const { status, stderr } = await this.machine.run(['sh', '-ec', lines.join('\n'), 'sh', program, script]);
    if (status !== 0) throw new Error(`${program} could not be replaced: ${stderr}`);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.close();
    await stopInit(this.init);
  }
}
