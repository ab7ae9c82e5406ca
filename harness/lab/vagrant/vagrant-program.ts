/** Vagrant as we run it, and what its words mean to the user. */
import { spawn } from 'node:child_process';
import { MacvlabError } from '../../core/error.js';
import { pause } from '../../core/wait.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import { packageFolder } from './package-folder.js';
import { checkoutName, readSettings, variableOf } from './settings.js';

/** What is asked of Vagrant. */
export interface VagrantOptions {
  /** What is being done, as it stands in an error: "bring the machines up". */
  what: string;
  /** Added to the environment: settings of the lab. */
  environment: Record<string, string>;
  /** Told its process id. */
  onStart?: (pid: number) => void;
  /** Milliseconds without a word after which it is interrupted: its plugin for libvirt waits for an address for more than ten minutes. */
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

/** What starts libvirt, which is installed first if need be. */
export function startLibvirt(): string {
  const start = 'sudo systemctl start libvirtd';
  if (findProgram('libvirtd') ?? findProgram('virtqemud')) return start;
  // Debian's daemon alone has neither a service nor a group of users
  const packages = findProgram('apt-get') ? ['libvirt-daemon-system', 'dnsmasq-base'] : ['libvirt'];
  return `${installCommand(packages) ?? 'install libvirt'} && ${start}`;
}

/** What lets a user use libvirt. */
export const joinLibvirt = 'sudo usermod -aG libvirt $USER, and log in again';

/** When this process dies, even by SIGKILL, Vagrant is told as by Ctrl-C: it takes back what it has half made (prctl(2), PR_SET_PDEATHSIG). */
function endsWithUs(): string[] {
  const setpriv = findProgram('setpriv');
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'INT', '--'];
}

/** What is noted when Vagrant is interrupted because of its silence. */
const saidNothing = 'macvlab has interrupted Vagrant, which said nothing more';

/**
 * Runs Vagrant on the machines of this checkout, to its end.
 * @returns its standard output
 * @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED with its last words, and the next step that these call for
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
    // In a group of its own: Ctrl-C at the terminal is not for it, lest machines be left half made.
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

/** Vagrant's output without its progress bars, which overwrite themselves, and without places in its code; what it says for programs as it would say it to a person. */
export function readable(words: string): string {
  return (
    words
      // Vagrant, "Machine Readable Output": the message stands in the last field, and once more behind its class
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

/** The words without what Vagrant says of a second machine as it has said it of the first. */
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

/** libvirt's own program, at the daemon that Vagrant uses. */
function virsh(): string {
  return `virsh -c ${readSettings().uri || 'qemu:///system'}`;
}

/** What libvirt calls a machine (vagrant/machines.rb). */
function domainOf(machine: string): string {
  return `macvlab-${checkoutName()}-${machine}`;
}

/** Removes all that libvirt can have of this checkout's machines; what is not there only says so. */
function removeUnknown(): string {
  const domain = domainOf('$name');
  return `remove them: for name in switch node1 node2; do ${virsh()} destroy ${domain}; ${virsh()} undefine ${domain} --remove-all-storage; ${virsh()} vol-delete ${domain}.img default; done`;
}

/** What Vagrant says, and what it means; the first that matches counts. */
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

/** Vagrant's failure as an error with a next step. The Vagrantfile's own refusals bring theirs. */
export function vagrantFailure(
  what: string,
  argv: readonly string[],
  words: string,
  status: number | null,
): MacvlabError {
  // what a machine says stands behind its name
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
