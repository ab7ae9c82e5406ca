/**
 * Namespaces that tests reach as if they were real hosts. h1 to h4 each have an sshd, and a NIC eth1 on the switch's
 * bridge br0. ssh and macvlab run in an admin's network. One process holds all of these namespaces, and ends with this
 * process. Nothing changes this machine's own network, processes or files.
 *
 *     admin 10.99.0.254 ── management ── h1 10.99.0.1, h2 .2, h3 .3, switch .100; h4 10.99.1.4 through h3
 *     h1..h4 eth1 ── ports h1..h4 of br0 in switch
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Context } from 'mocha';
import { stringify } from 'yaml';
import { timeout, poll, within } from '../../core/wait.js';
import { type KeyPair, newKeyPair } from '../../remote/keys.js';
import { type HostName, hostNames, hostPlaces, hostsScript, macOf, runFolder } from './hosts-script.test-support.js';
import type { HostAddress } from './file/machine.js';
import { needs, needsRoot } from '../../setup/needs.test-support.js';

export { type HostName, hostPlaces, macOf };

/** The result of a command that has ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A command that runs in the admin's network. */
export interface Running {
  /** The standard output so far. */
  stdout: () => string;
  stderr: () => string;
  /** Waits until the words appear on either stream. */
  said(words: string | RegExp): Promise<void>;
  /** Sends a line to its input, which must be open. */
  write(line: string): void;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Its whole input; null leaves the input open. */
  input?: string | null;
}

/** Skips tests that need root, ssh and sshd; the suite's title names this need. */
export function skipWithoutHosts(hook: Context): void {
  needsRoot(hook);
  needs(hook, 'sshd', 'ssh');
}

/** Ends its command when this process dies, even by SIGKILL. */
const endsWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'];

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts hosts. They end with {@link Hosts.close}, with `await using`, or with this process. */
export async function startHosts(): Promise<Hosts> {
  const folder = mkdtempSync(join(tmpdir(), 'macvlab-hosts-'));
  const keys = Object.fromEntries(hostNames.map((name) => [name, newKeyPair()])) as Record<HostName, KeyPair>;
  const [user, wrong] = [newKeyPair(), newKeyPair()];
  const file = (name: string, content: string) => {
    const at = join(folder, name);
    writeFileSync(at, content);
    chmodSync(at, 0o600);
    return at;
  };
  for (const name of ['home', 'home/.ssh', 'empty', 'state']) mkdirSync(join(folder, name), { mode: 0o700 });
  const files: HostFiles = {
    folder,
    identity: file('home/.ssh/id_ed25519', user.private),
    wrongIdentity: file('wrong_identity', wrong.private),
    knownHosts: file('home/.ssh/known_hosts', knownHosts(keys)),
    noKnownHosts: file('no_known_hosts', ''),
  };
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];
  const unshare = ['unshare', ...namespaces, '--fork', '--kill-child', '--propagation', 'private', '--', 'sh', '-s'];
  const [program = '', ...rest] = [...endsWithUs, ...unshare];
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: { PATH: path } });
  let said = '';
  let words = '';
  const ready = new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const pid = /^ready (\d+)$/m.exec(said)?.[1];
      if (pid) resolve(Number(pid));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text));
    child.once('error', reject);
    child.once('close', () => reject(new Error(`the hosts could not be made: ${words}`)));
    child.stdin.once('error', () => undefined);
  });
  const hostKeys = Object.fromEntries(hostNames.map((name) => [name, keys[name].private])) as Record<HostName, string>;
  const [home, empty] = [join(folder, 'home'), join(folder, 'empty')];
  child.stdin.write(hostsScript({ hostKeys, authorized: `${user.public}\n`, home, empty }));
  try {
    const init = await within(ready, { what: 'hosts to listen', deadline: timeout(180_000), evidence: () => words });
    return new Hosts({ child, stdin: child.stdin, init }, files, keys);
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function knownHosts(keys: Readonly<Record<HostName, KeyPair>>): string {
  return hostNames.map((name) => `${hostPlaces[name].address},${name} ${keys[name].public}\n`).join('');
}

interface HostFiles {
  /** The admin's folder, also for the test's own files. */
  folder: string;
  /** The key that root and ops of all hosts accept; also the admin's own key, in ~/.ssh. */
  identity: string;
  /** A key that no host accepts. */
  wrongIdentity: string;
  /** The hosts' keys; also the admin's own known_hosts, in ~/.ssh. */
  knownHosts: string;
  noKnownHosts: string;
}

/** Running hosts. */
export class Hosts {
  readonly files: HostFiles;
  readonly #process: { child: ChildProcess; stdin: Writable; init: number };
  readonly #keys: Record<HostName, KeyPair>;
  readonly #pids = new Map<HostName, string>();

  constructor(
    process: { child: ChildProcess; stdin: Writable; init: number },
    files: HostFiles,
    keys: Record<HostName, KeyPair>,
  ) {
    this.#process = process;
    this.files = files;
    this.#keys = keys;
    for (const name of hostNames) {
      const { stdout } = this.#inside(['cat', `${runFolder}/${name}.pid`]);
      this.#pids.set(name, stdout.trim());
    }
  }

  /** The public line of a host's current key. */
  hostKey(name: HostName): string {
    return this.#keys[name].public;
  }

  /** Runs a program in the admin's network to its end: `ssh`, macvlab. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.start(argv, options).ended;
  }

  /** Starts a program in the admin's network, as root with a separate home folder. */
  start(argv: readonly string[], { cwd, env = {}, input }: RunOptions = {}): Running {
    const { folder } = this.files;
    const pidFile = join(folder, `pid-${++starts}`);
    const marked = ['sh', '-c', 'echo $$ >"$0"; exec "$@"', pidFile, ...argv];
    const [program = '', ...rest] = [...endsWithUs, ...this.#enter(), ...inAdmin(cwd, marked)];
    const { PATH, MACVLAB_CACHE, MACVLAB_TIMEOUT_FACTOR, NODE_V8_COVERAGE } = process.env;
    const inherited = Object.entries({ PATH, MACVLAB_CACHE, MACVLAB_TIMEOUT_FACTOR, NODE_V8_COVERAGE }).filter(
      ([, value]) => value !== undefined,
    );
    const child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        HOME: join(folder, 'home'),
        USER: 'root',
        LC_ALL: 'C.UTF-8',
        MACVLAB_STATE: join(folder, 'state'),
        ...env,
      },
    });
    return running(child, input, (signal) => {
      const pid = readFileSync(pidFile, 'utf8').trim();
      this.#inside(['kill', '-s', signal.replace('SIG', ''), pid]);
    });
  }

  /** Runs a program on a host, as root in all of its namespaces; throws if it fails. */
  async onHost(name: HostName, argv: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.tryOnHost(name, argv);
    if (status !== 0) throw new Error(`${name}: ${argv.join(' ')}: ${stderr || stdout || `status ${status}`}`);
    return stdout;
  }

  /** The same, but also returns the result of a failure. */
  async tryOnHost(name: HostName, argv: readonly string[]): Promise<Ended> {
    const [program = '', ...rest] = [...this.#enter(), ...this.#enterHost(name), ...argv];
    return running(spawn(program, rest, { env: { PATH: path, LC_ALL: 'C' } }), '', () => undefined).ended;
  }

  /** Runs a program on the switch; its bridge is br0, and its ports are named after the hosts. */
  async onSwitch(argv: readonly string[]): Promise<string> {
    return this.onHost('switch', argv);
  }

  /** An ssh command line that reaches a host, for {@link run}. */
  ssh(name: HostName, argv: readonly string[], { user = 'root', options = [] as string[] } = {}): string[] {
    const jump = hostPlaces[name].management === 'mgmt' ? [] : ['-J', `root@${hostPlaces.h3.address}`];
    return ['ssh', '-o', 'BatchMode=yes', ...jump, ...options, '-l', user, hostPlaces[name].address, '--', ...argv];
  }

  /** Gives a host another key, which known_hosts does not have, and waits until the host presents it. */
  async changeHostKey(name: HostName): Promise<void> {
    const key = newKeyPair();
    this.#keys[name] = key;
    await this.#write(name, '/etc/ssh/ssh_host_ed25519_key', key.private);
    await this.onHost(name, ['kill', '-HUP', '1']);
    const blob = key.public.split(' ')[1] ?? '';
    await poll(
      async () => {
        const { stdout } = await this.tryOnHost(name, ['ssh-keyscan', '-t', 'ed25519', hostPlaces[name].address]);
        return stdout.includes(blob) || undefined;
      },
      { what: `${name} to show its new key`, deadline: timeout(20_000) },
    );
  }

  /** Restores the correct content of the known_hosts files. */
  trustHosts(): void {
    writeFileSync(this.files.knownHosts, knownHosts(this.#keys));
    writeFileSync(this.files.noKnownHosts, '');
  }

  /** Cuts or reconnects a host's management link. A cut removes the carrier, and existing connections get no notice. */
  setManagement(name: HostName, up: boolean): void {
    const { management } = hostPlaces[name];
    const place = management === 'mgmt' ? [] : ['-n', management];
    this.#inside(['ip', ...place, 'link', 'set', `m-${name}`, up ? 'up' : 'down']);
  }

  /** Ends all SSH connections of a host at once. */
  async dropConnections(name: HostName): Promise<void> {
    // sshd is the host's first process; its children serve the connections, and one may just have ended by itself
    const script =
      'for child in $(cat /proc/1/task/1/children); do kill -KILL "$child" || [ ! -e "/proc/$child" ]; done';
    await this.onHost(name, ['sh', '-c', script]);
  }

  /**
   * Connects the admin to the switch, and gives a host's eth1 an address there. This address reaches the host over the
   * NIC of the experiments, and is the only way after a cut of its management link.
   * @returns the address
   */
  async reachOverWire(name: HostName): Promise<string> {
    const address = `10.98.0.${hostNames.indexOf(name) + 1}`;
    const links = await this.onSwitch(['ip', '-o', 'link']);
    if (!links.includes('admin@')) {
      await this.onSwitch(['ip', 'link', 'add', 'admin', 'type', 'veth', 'peer', 'name', 'wire0', 'index', '103']);
      this.#inside(['nsenter', '--net=/run/netns/switch', 'ip', 'link', 'set', 'wire0', 'netns', '/run/netns/admin']);
      await this.onSwitch(['ip', 'link', 'set', 'admin', 'master', 'br0', 'up']);
      this.#inside(['ip', '-n', 'admin', 'address', 'add', '10.98.0.254/24', 'dev', 'wire0']);
      this.#inside(['ip', '-n', 'admin', 'link', 'set', 'wire0', 'up']);
    }
    await this.onHost(name, ['ip', 'address', 'replace', `${address}/24`, 'dev', 'eth1']);
    appendFileSync(this.files.knownHosts, `${address} ${this.#keys[name].public}\n`);
    return address;
  }

  /** Sets the sudo rights of `ops` on a host. */
  async setSudo(name: HostName, may: 'without password' | 'with password' | 'nothing'): Promise<void> {
    const rule = {
      'without password': 'ops ALL=(ALL:ALL) NOPASSWD: ALL\n',
      'with password': 'ops ALL=(ALL:ALL) ALL\n',
    };
    const line = may === 'nothing' ? '' : rule[may];
    await this.#write(name, '/etc/sudoers', `root ALL=(ALL:ALL) ALL\n${line}`);
  }

  /**
   * Everything on a host that a lab could leave: processes, links, addresses and routes, network namespaces, mounts.
   * Tests compare it before and after.
   */
  async traces(name: HostName): Promise<string> {
    const script = [
      // processes of the host's PID namespace and of those below, without this shell and its children
      'all=$(for p in /proc/[0-9]*; do { tr "\\0\\n" "  " <$p/cmdline; echo; } 2>/dev/null; done)',
      'printf "%s\\n" "$all" | grep -v -e "^$" -e "^tr " -e "^sh -c all=" | sort',
      'echo; ip -o link | sed "s/ promiscuity [0-9]*//"; ip -o address; { ip route show table all; ip -6 route show table all; } | sort',
      'ls /run/netns 2>/dev/null; for p in /proc/[0-9]*; do readlink $p/ns/net; done 2>/dev/null | sort -u; ip rule',
      'sed "s/^[0-9]* [0-9]* [^ ]* //" /proc/1/mountinfo | sort; ls /run /tmp /root /home/ops',
    ];
    return this.onHost(name, ['sh', '-c', script.join('\n')]);
  }

  /** Writes an inventory for hosts, and returns its file. It contains `more` unchanged. */
  inventory(machines: Readonly<Record<string, HostName>>, more: Record<string, unknown> = {}): string {
    const entries = Object.entries(machines).map(([role, name]) => [role, this.machine(name)]);
    const file = join(this.files.folder, `inventory-${++starts}.yaml`);
    writeFileSync(
      file,
      stringify({ machines: Object.fromEntries(entries) as unknown, addresses: 'articles', ...more }),
    );
    return file;
  }

  /** A host's entry in an inventory, with a login as root. */
  machine(name: HostName, more: Record<string, unknown> = {}): Record<string, unknown> {
    const { identity, knownHosts: known } = this.files;
    const jump = hostPlaces[name].management === 'mgmt' ? {} : { jump: `root@${hostPlaces.h3.address}` };
    const { address } = hostPlaces[name];
    return { host: address, user: 'root', sudo: false, identity, 'known-hosts': known, nic: 'eth1', ...jump, ...more };
  }

  /** A host's address for `reach`. */
  address(name: HostName, more: Partial<HostAddress> = {}): HostAddress {
    const { identity, knownHosts: known } = this.files;
    const jump = hostPlaces[name].management === 'mgmt' ? {} : { jump: `root@${hostPlaces.h3.address}` };
    const { address: host } = hostPlaces[name];
    return { name, host, user: 'root', sudo: false, identity, knownHosts: known, ...jump, ...more };
  }

  /** Ends all hosts, and removes their files. */
  async close(): Promise<void> {
    const { child, stdin } = this.#process;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      stdin.destroy();
      await within(ended, { what: 'the hosts to end', deadline: timeout(20_000) });
    }
    rmSync(this.files.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #enter(): string[] {
    return ['nsenter', '--target', String(this.#process.init), '--mount', '--uts', '--ipc', '--pid', '--net', '--'];
  }

  #enterHost(name: HostName): string[] {
    const pid = this.#pids.get(name) ?? '';
    return ['nsenter', '--target', pid, '--mount', '--uts', '--ipc', '--pid', '--net', '--'];
  }

  /** Runs a program in the outermost namespaces, outside of the hosts. */
  #inside(argv: readonly string[]): { stdout: string } {
    const [program = '', ...rest] = [...this.#enter(), ...argv];
    const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', env: { PATH: path, LC_ALL: 'C' } });
    if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
    return { stdout };
  }

  async #write(name: HostName, file: string, content: string): Promise<void> {
    await this.onHost(name, ['sh', '-c', 'printf %s "$1" >"$2"', 'sh', content, file]);
  }
}

let starts = 0;

/** A command in the admin's network and in a folder: `nsenter` itself changes to the root of the file system. */
function inAdmin(cwd: string | undefined, argv: readonly string[]): string[] {
  const there = ['sh', '-c', 'cd "$0" && exec "$@"', cwd ?? process.cwd(), ...argv];
  return ['nsenter', '--net=/run/netns/admin', '--', ...there];
}

function running(
  child: ChildProcess,
  input: string | null | undefined,
  kill: (signal: NodeJS.Signals) => void,
): Running {
  let [stdout, stderr] = ['', ''];
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    tell();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    tell();
  });
  child.stdin?.on('error', () => undefined);
  if (input !== null) child.stdin?.end(input ?? '');
  const write = (line: string) => void child.stdin?.write(`${line}\n`);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
  const said = async (words: string | RegExp) => {
    const has = () => (typeof words === 'string' ? `${stdout}${stderr}`.includes(words) : words.test(stdout + stderr));
    const heard = new Promise<void>((resolve, reject) => {
      const look = () => {
        if (has()) resolve();
      };
      listeners.add(look);
      look();
      void ended.then(() => {
        if (!has()) reject(new Error(`it ended without saying ${String(words)}:\n${stdout}${stderr}`));
      }, reject);
    });
    await within(heard, { what: String(words), deadline: timeout(60_000), evidence: () => `${stdout}${stderr}` });
  };
  return { stdout: () => stdout, stderr: () => stderr, said, write, kill, ended };
}
