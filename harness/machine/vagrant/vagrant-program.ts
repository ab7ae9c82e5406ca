/** Runs Vagrant, and explains its failures to the user. */
import { spawn } from 'node:child_process';
import { MacvlabError } from '../../core/error.js';
import { pause } from '../../core/wait.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import { packageFolder } from './package-folder.js';
import { checkoutName, readSettings, variableOf } from './settings.js';

/** Options of a Vagrant command. */
export interface VagrantOptions {
  /** The action, for an error message: "bring the machines up". */
  what: string;
  /** Settings of the lab, added to the environment. */
  environment: Record<string, string>;
  /** Receives its process id. */
  onStart?: (pid: number) => void;
  /** Milliseconds without output until an interrupt: its plugin for libvirt waits for an address for more than ten minutes. */
  silence?: number;
}

/** @throws MacvlabError VAGRANT_MISSING with the command that installs it */
export function vagrantProgram(): string {
  const file = findProgram('vagrant');
  if (file !== undefined) return file;
  throw new MacvlabError('VAGRANT_MISSING', 'the vagrant lab needs vagrant, which this machine does not have', {
    next: installCommand(['vagrant', 'vagrant-libvirt']) ?? 'install vagrant, with the plugin vagrant-libvirt',
  });
}

/** The command that starts libvirt, and installs it first if necessary. */
export function startLibvirt(): string {
  const start = 'sudo systemctl start libvirtd';
  if (findProgram('libvirtd') ?? findProgram('virtqemud')) return start;
  // Debian's daemon alone has neither a service nor a user group
  const packages = findProgram('apt-get') ? ['libvirt-daemon-system', 'dnsmasq-base'] : ['libvirt'];
  return `${installCommand(packages) ?? 'install libvirt'} && ${start}`;
}

/** The command that gives a user access to libvirt. */
export const joinLibvirt = 'sudo usermod -aG libvirt $USER, and log in again';

/** If this process dies, even by SIGKILL, Vagrant gets SIGINT and removes half-created machines (prctl(2), PR_SET_PDEATHSIG). */
function endsWithUs(): string[] {
  const setpriv = findProgram('setpriv');
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'INT', '--'];
}

/** The line that marks an interrupt of Vagrant because of its silence. */
const saidNothing = 'macvlab has interrupted Vagrant, which said nothing more';

/**
 * Runs Vagrant on the machines of this checkout, to its end.
 * @returns its standard output
 * @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED with its last output, and the next step for it
 */
export async function vagrant(argv: readonly string[], options: VagrantOptions): Promise<string> {
  const { what, environment, onStart, silence } = options;
  const [program = '', ...rest] = [...endsWithUs(), vagrantProgram(), ...argv];
  const child = spawn(program, rest, {
    cwd: packageFolder,
    env: {
      ...process.env,
      VAGRANT_CWD: packageFolder,
      VAGRANT_NO_COLOR: '1',
      VAGRANT_CHECKPOINT_DISABLE: '1',
      LC_ALL: 'C.UTF-8',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In its own process group: Ctrl-C at the terminal must not reach it and leave half-created machines.
    detached: true,
  });
  let output = '';
  let words = '';
  let heard = 0;
  const note = (text: string) => {
    words = (words + text).slice(-16_000);
    heard += 1;
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    note(text);
  });
  child.stderr.setEncoding('utf8').on('data', note);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  let over = false;
  const watch = async (limit: number) => {
    for (let before = -1; !over && before !== heard;) {
      before = heard;
      await pause(limit, ended);
    }
    if (over) return;
    note(`\n${saidNothing}\n`);
    child.kill('SIGINT');
  };
  if (silence !== undefined) void watch(silence);
  const status = await ended.finally(() => (over = true));
  if (status === 0 && !words.includes(saidNothing)) return output;
  throw vagrantFailure(what, argv, readable(words), status);
}

/** Vagrant's output without progress bars, which overwrite themselves, and without stack traces. Machine-readable lines become text. */
export function readable(words: string): string {
  return (
    words
      // Vagrant, "Machine Readable Output": the message is the last field, and appears again after its class
      .replaceAll(/^\d+,[^,]*,error-exit,.*$/gm, '')
      .replaceAll(/^\d+,[^,]*,ui,\w+,(.*)$/gm, (_, text: string) =>
        text.replaceAll('\\n', '\n').replaceAll('%!(VAGRANT_COMMA)', ','),
      )
      .split(/[\r\n]+/)
      // eslint-disable-next-line no-control-regex -- the terminal's own "erase to the end of the line"
      .map((line) => line.replaceAll(/\u001b\[K/g, '').trimEnd())
      .filter((line) => line !== '' && !/Progress: \d+%|^\s*(from )?\S+\.rb:\d+:in /.test(line))
      .join('\n')
  );
}

/** The output without errors that Vagrant repeats for a second machine. */
function withoutRepetition(words: string): string {
  const told = new Set<string>();
  const parts = words.split(/^(?=An error occurred while executing the action on)/m);
  return parts
    .filter((part) => {
      const [, ...what] = part.trimEnd().split('\n');
      const key = what.join('\n');
      return !told.has(key) && told.add(key);
    })
    .join('');
}

interface Meaning {
  pattern: RegExp;
  code?: 'VAGRANT_MISSING';
  means: string;
  next: string | (() => string);
}

/** The virsh command for the daemon that Vagrant uses. */
function virsh(): string {
  return `virsh -c ${readSettings().uri || 'qemu:///system'}`;
}

/** A machine's name in libvirt (vagrant/machines.rb). */
function domainOf(machine: string): string {
  return `macvlab-${checkoutName()}-${machine}`;
}

/** The command that removes everything of this checkout's machines from libvirt; missing items only cause messages. */
function removeUnknown(): string {
  const domain = domainOf('$name');
  return `remove them: for name in switch node1 node2; do ${virsh()} destroy ${domain}; ${virsh()} undefine ${domain} --remove-all-storage; ${virsh()} vol-delete ${domain}.img default; done`;
}

/** Vagrant's messages and their meaning; the first match counts. */
const meanings: readonly Meaning[] = [
  {
    pattern: /provider '\w+' could not be found|No usable default provider|isn't usable on this system/i,
    code: 'VAGRANT_MISSING',
    means: 'its provider is missing',
    next: 'install one: apt-get install vagrant-libvirt libvirt-daemon-system, or name another in vagrant/settings.yaml',
  },
  {
    pattern:
      /(connect(ing)? to Libvirt|Failed to connect socket|libvirt-sock)[\s\S]*(Permission denied|authentication|authorization|polkit)/i,
    code: 'VAGRANT_MISSING',
    means: 'libvirt is not for this user',
    next: joinLibvirt,
  },
  {
    pattern: /Error while connecting to Libvirt|Failed to connect socket|libvirt-sock/i,
    code: 'VAGRANT_MISSING',
    means: 'libvirt does not answer',
    next: startLibvirt,
  },
  {
    pattern: /Name `([^`]+)` of domain about to create is already taken|Volume for domain is already created/i,
    means:
      'machines of this checkout are there that Vagrant does not know: .vagrant was deleted, or is another folder now',
    next: removeUnknown,
  },
  {
    pattern: /is locked|another process is already executing/i,
    means: 'another vagrant is at work on these machines',
    next: 'wait until it has ended, and try again',
  },
  {
    pattern:
      /Box '[^']+' could not be found[\s\S]*(?:could not|error|fail)|couldn't be accessed|box .* could not be found/i,
    means: 'the box is missing, and cannot be fetched',
    next: 'use the one that is made here, without a download: MACVLAB_VAGRANT_BOX=macvlab npx macvlab run --lab vagrant',
  },
  {
    pattern: /Permission denied|Could not open '|could not open kernel/i,
    means: 'libvirt may not read what the machines boot from',
    next: 'keep it where libvirt’s user can: sudo install -d -o $USER /var/cache/macvlab; export MACVLAB_CACHE=/var/cache/macvlab; npx macvlab lab prepare --lab vagrant',
  },
  {
    pattern: /Address already in use/i,
    means:
      'another program has the cables’ UDP ports, or machines of this checkout are there that Vagrant does not know',
    next: () => `look who has them: ss -lunp | grep ':100[12]'; ${removeUnknown()}`,
  },
  {
    pattern:
      /Timed out while waiting for the machine to boot|said nothing more|wait_for timeout|was not able to verify|Host unreachable|connection refused/i,
    means: 'a machine does not come up',
    next: () =>
      `watch one come up: vagrant up node1, and beside it: ${virsh()} console ${domainOf('node1')}; where memory lacks: ${variableOf('memory')}=1024`,
  },
];

/** Vagrant's failure as an error with a next step. Errors from the Vagrantfile contain their own next step. */
export function vagrantFailure(
  what: string,
  argv: readonly string[],
  words: string,
  status: number | null,
): MacvlabError {
  // a machine's output follows its name
  const own = /^(?:\s*\w+: )?macvlab: (.*)\n(?:\s*\w+:)?\s*next: (.*)$/m.exec(words);
  if (own) return new MacvlabError('VAGRANT_FAILED', own[1] ?? '', { next: own[2] ?? '' });
  const meaning = meanings.find(({ pattern }) => pattern.test(words));
  const message = `Vagrant could not ${what}: ${meaning?.means ?? `it ended with status ${status}`}`;
  const { next = 'see what Vagrant says: vagrant status; begin anew: vagrant destroy -f' } = meaning ?? {};
  return new MacvlabError(meaning?.code ?? 'VAGRANT_FAILED', message, {
    evidence: `$ vagrant ${argv.join(' ')}\n${withoutRepetition(words).split('\n').slice(-20).join('\n')}`,
    next: typeof next === 'string' ? next : next(),
  });
}
