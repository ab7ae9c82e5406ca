/**
 * A running fresh machine. Its commands run in its own root folder, each with its own mounts, processes and host name.
 * It uses the network of this machine to reach package registries. When this process ends for any reason, its commands
 * end, their mounts disappear, and the folder is removed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freshFolder, keepDownloads, makeFreshRoot } from './fresh-root.js';

export interface Command {
  /** A shell command line. */
  line: string;
  /** Name of an ordinary user; default: root. */
  user?: string | undefined;
  environment?: Record<string, string>;
}

/** The result of a command. */
export interface Ended {
  /** Exit code; for a signal, the code that a shell reports. */
  status: number;
  milliseconds: number;
  /** All output, line by line, with the milliseconds since the start of the command. */
  lines: { at: number; text: string }[];
}

/**
 * The first process of a command's namespaces. It ends all processes when the command or the standard input ends.
 * $1: the root folder, $2: a user, $3: the command.
 */
const init = `
set -e
echo fresh >/proc/sys/kernel/hostname
mount --bind "$1" "$1"
cd "$1"
for each in dev sys; do mount --rbind /$each $each; done
mount -t proc proc proc
mount -t tmpfs -o mode=0755 tmpfs run
mkdir -m 1777 run/lock
pivot_root . mnt
cd /
umount -l /mnt
exec 3<&0
if [ "$2" = root ]; then
  cd /root
  sh -c "$3" </dev/null 3<&- &
else
  cd "$HOME"
  setpriv --reuid="$2" --regid="$2" --init-groups sh -c "$3" </dev/null 3<&- &
fi
command=$!
{ cat <&3 >/dev/null; kill -KILL $command; } &
wait $command`;

/** Removes a folder when its standard input ends. Processes that still write there may be about to end. */
const remover = `
cat >/dev/null
for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf --one-file-system "$1" 2>/dev/null && exit; sleep 1; done`;

/** The variables of this machine's environment that are needed to reach registries. */
const passedOn =
  /^(?:npm_config_(?:registry|cafile|proxy|https_proxy|noproxy)|(?:https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|MACVLAB_DEBIAN_\w+)$/i;

export class FreshMachine {
  /** The root folder of the machine. */
  readonly folder: string;
  readonly #remover: ChildProcess;
  readonly #log: string;
  readonly #signal: AbortSignal;

  private constructor(folder: string, remover: ChildProcess, log: string, signal: AbortSignal) {
    this.folder = folder;
    this.#remover = remover;
    this.#log = log;
    this.#signal = signal;
  }

  /**
   * @param log the file to which the output of the commands is appended
   * @param signal ends the commands
   * @param fill creates the files of the root folder
   * @throws MacvlabError as {@link makeFreshRoot}
   */
  static async make(log: string, signal: AbortSignal, fill = makeFreshRoot): Promise<FreshMachine> {
    mkdirSync(freshFolder(), { recursive: true });
    const folder = mkdtempSync(join(freshFolder(), 'machine-'));
    const remove = spawn('sh', ['-c', remover, 'sh', folder], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    const machine = new FreshMachine(folder, remove, log, signal);
    try {
      await fill(folder, signal);
      return machine;
    } catch (error) {
      await machine.remove();
      throw error;
    }
  }

  /** Runs a command to its end. Appends its output to the log. */
  async run({ line, user = 'root', environment = {} }: Command): Promise<Ended> {
    this.#signal.throwIfAborted();
    const begun = Date.now();
    const output = createWriteStream(this.#log, { flags: 'a' });
    output.write(`\n== ${user}: ${line}\n`);
    const home = user === 'root' ? '/root' : `/home/${user}`;
    const inherited = Object.entries(process.env).filter(([name]) => passedOn.test(name));
    const argv = [
      '--mount',
      '--pid',
      '--uts',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      init,
      'sh',
      this.folder,
      user,
      line,
    ];
    const child = spawn('unshare', argv, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // A separate process group: Ctrl-C reaches only this process.
      detached: true,
      env: {
        ...Object.fromEntries(inherited),
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ...{ HOME: home, USER: user, SHELL: '/bin/sh', TERM: 'dumb' },
        ...environment,
      },
    });
    child.stdin.on('error', () => undefined);
    const end = () => child.stdin.end();
    this.#signal.addEventListener('abort', end, { once: true });
    const lines: Ended['lines'] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (text) => {
        lines.push({ at: Date.now() - begun, text });
        output.write(`${text}\n`);
      });
    }
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject).once('close', (code) => resolve(code ?? 137));
    });
    this.#signal.removeEventListener('abort', end);
    await new Promise<void>((resolve) => output.end(resolve));
    this.#signal.throwIfAborted();
    return { status, milliseconds: Date.now() - begun, lines };
  }

  /** Removes the files of the machine. */
  async remove(): Promise<void> {
    await keepDownloads(this.folder).catch(() => undefined);
    const removed = new Promise((resolve) => this.#remover.once('close', resolve));
    this.#remover.stdin?.end();
    await removed;
  }
}
