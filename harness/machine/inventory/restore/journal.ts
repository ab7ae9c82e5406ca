/**
 * The undo journal of a run: the undos of its changes to hosts' own networks. It is one file per run on this machine,
 * with a line before each change and a line after each undo. A run that ends normally removes its journal. `macvlab
 * gc`, or the next run on the same host, runs the undos that a killed run has left.
 */
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../../../core/error.js';
import type { Session } from '../../../remote/session.js';
import type { Ours } from './host-snapshot.js';
import { mayBeAlive, ownerSchema, thisOwner } from '../../detached/owner.js';
import type { HostAddress } from '../file/machine.js';

/** A host whose own network a run may change. */
export interface JournalHost {
  address: HostAddress;
  /** Its NIC for the experiments. */
  nic: string;
}

const addressSchema = z.object({
  name: z.string(),
  host: z.string(),
  port: z.number().exactOptional(),
  user: z.string().exactOptional(),
  identity: z.string().exactOptional(),
  jump: z.string().exactOptional(),
  knownHosts: z.string().exactOptional(),
  sudo: z.boolean(),
});

const headerSchema = ownerSchema.extend({
  journal: z.literal(1),
  /** ISO 8601, UTC. */
  created: z.string(),
  hosts: z.array(z.object({ address: addressSchema, nic: z.string() })),
});

const lineSchema = z.union([
  /** A reached host, its boot (a reboot undoes all changes), and the lab’s first process there. */
  z.object({
    host: z.string(),
    up: z.string(),
    lab: z.string(),
    /** Identifies the lab's entries among the host's neighbours, to delete them; journals of older versions lack it. */
    ours: z.object({ macRange: z.string(), nic: z.string().optional(), networks: z.array(z.string()) }).exactOptional(),
  }),
  z.object({ undo: z.number(), host: z.string(), commands: z.array(z.array(z.string())) }),
  z.object({ undone: z.number() }),
]);

type Line = z.infer<typeof lineSchema>;

/** A host at the time when the run reached it. */
export interface ReachedThen {
  /** The id of its boot. */
  up: string;
  /** The lab's first process there. */
  lab: string;
  /** Identifies the lab's entries among its neighbours. */
  ours?: Ours;
}

/** An undo that is due. */
export interface NotedUndo {
  number: number;
  host: string;
  /** To run in this order. */
  commands: string[][];
}

/** The content of a journal. */
export interface ReadJournal {
  run: string;
  file: string;
  created: string;
  hosts: JournalHost[];
  /** The hosts as they were reached, by name. */
  reached: ReadonlyMap<string, ReachedThen>;
  /** Undos that are due, oldest first. */
  due: NotedUndo[];
  /** Whether the run may still be alive. */
  alive: boolean;
  /** The number of unreadable lines, without a last line that was cut off. */
  damaged: number;
}

/** The folder of the journals. Changes of hosts outlive a reboot of this machine, unlike labs, and so do their journals. */
function journalFolder(): string {
  const { MACVLAB_STATE: own, XDG_STATE_HOME: state } = process.env;
  return resolve(own || join(state || join(homedir(), '.local/state'), 'macvlab'), 'inventory');
}

const suffix = '.jsonl';

/** The journal of this run. */
export class Journal {
  readonly file: string;
  readonly #descriptor: number;
  /** The numbers of the undos that are due, with their hosts. */
  readonly #due = new Map<number, string>();
  #count = 0;
  #ended = false;

  private constructor(file: string, descriptor: number) {
    this.file = file;
    this.#descriptor = descriptor;
  }

  /** Begins a journal, before any change on a host. @throws MacvlabError LAB_OPEN if it cannot be written */
  static begin(hosts: readonly JournalHost[]): Journal {
    const folder = journalFolder();
    const created = new Date().toISOString();
    const file = join(folder, `${created.replaceAll(/[:.]/g, '')}-${randomBytes(3).toString('hex')}${suffix}`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
      const journal = new Journal(file, openSync(file, 'ax', 0o600));
      journal.#write({ journal: 1, created, ...thisOwner(), hosts: [...hosts] });
      return journal;
    } catch (error) {
      throw new MacvlabError('LAB_OPEN', `how hosts are restored cannot be noted in ${file}: ${messageOf(error)}`, {
        next: 'set MACVLAB_STATE to a folder that you may write',
        cause: error,
      });
    }
  }

  /**
   * Records from now on the undos of changes in this session's own network.
   * @param ours identifies the lab's entries among the host's neighbours
   * @throws MacvlabError REMOTE_DEAD, REMOTE_DEADLINE
   */
  async watch(host: string, session: Session, ours?: Ours): Promise<void> {
    this.#write({ host, up: await bootOf(session), lab: await labOf(session), ...(ours && { ours: plain(ours) }) });
    const links = await linkNames(session);
    session.journal = { note: (undo) => this.#note(host, undo, links) };
  }

  /** The number of undos that are due, in total or on one host. */
  due(host?: string): number {
    return [...this.#due.values()].filter((each) => host === undefined || each === host).length;
  }

  /** Closes it, and removes the file unless an undo is still due. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    closeSync(this.#descriptor);
    if (this.due() === 0) rmSync(this.file, { force: true });
  }

  #note(host: string, undo: readonly (readonly string[])[], links: ReadonlySet<string>): () => void {
    const commands = undo.filter((argv) => !deletes(argv, links)).map((argv) => [...argv]);
    if (commands.length === 0) return () => undefined;
    const number = ++this.#count;
    this.#due.set(number, host);
    this.#write({ undo: number, host, commands });
    return () => {
      // A scope can run its undo late, after the journal has ended.
      if (!this.#due.delete(number) || this.#ended) return;
      this.#write({ undone: number });
    };
  }

  /** Writes a line to the disk before it returns: the change comes next. */
  #write(line: Line | z.infer<typeof headerSchema>): void {
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#descriptor);
  }
}

/**
 * Whether a command deletes a link that existed before the run. The kernel refuses a second link of that name, so its
 * undo is never due. If the run is killed before it gets the error, the host's own link must stay.
 */
function deletes(argv: readonly string[], links: ReadonlySet<string>): boolean {
  const [ip, link, verb, ...rest] = argv;
  return ip === 'ip' && link === 'link' && verb === 'delete' && links.has(rest.at(-1) ?? '');
}

async function linkNames(session: Session): Promise<Set<string>> {
  const { stdout } = await session.run(['ip', '-o', 'link', 'show']);
  return new Set(stdout.split('\n').flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []));
}

/** The id of a host's current boot. */
export async function bootOf(session: Session): Promise<string> {
  return (await session.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
}

/** Identifies the lab’s first process on a host: its PID namespace, and field 22 of its /proc/PID/stat (proc(5)). */
export async function labOf(session: Session): Promise<string> {
  const script = 'read -r stat </proc/1/stat; set -- ${stat##*) }; echo "$(readlink /proc/self/ns/pid) ${20}"';
  return (await session.run(['sh', '-c', script])).stdout.trim();
}

/** The command that ends a lab with all of its processes, if it still runs. It must run outside of the lab. */
export function endLab(lab: string): string[] {
  const [namespace = '', start = ''] = lab.split(' ');
  const script = [
    'for process in /proc/[0-9]*; do',
    '[ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$1" ] || continue',
    'read -r stat 2>/dev/null <"$process/stat" || continue',
    'started=$(set -- ${stat##*) }; echo "${20}")',
    '[ "$started" = "$2" ] || continue',
    'kill -KILL "${process#/proc/}"',
    'done',
  ];
  return ['sh', '-c', script.join('\n'), 'sh', namespace, start];
}

/** All journals, oldest first; a file without a complete first line does not count. */
export function listJournals(): ReadJournal[] {
  const folder = journalFolder();
  const names = filesIn(folder).filter((name) => name.endsWith(suffix));
  return names.sort().flatMap((name) => readJournal(join(folder, name)) ?? []);
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new MacvlabError('NOT_ROOT', `the journals in ${folder} cannot be read: ${messageOf(error)}`, {
      next: 'run the same command as the user who ran the experiments',
      cause: error,
    });
  }
}

/**
 * Reads a journal as its run left it. A run makes a change only after its complete line, so a last line that was cut
 * off has no meaning. Without a complete first line, the run has changed nothing, and the result is undefined.
 */
export function readJournal(file: string): ReadJournal | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Its run has just ended.
    return undefined;
  }
  const [first = '', ...rest] = text.split('\n').slice(0, -1);
  const header = headerSchema.safeParse(parse(first)).data;
  if (!header) return undefined;
  const lines = rest.filter((line) => line !== '').map((line) => lineSchema.safeParse(parse(line)).data);
  const reached = new Map<string, ReachedThen>();
  const due = new Map<number, NotedUndo>();
  for (const line of lines) {
    if (!line) continue;
    if ('up' in line)
      reached.set(line.host, {
        up: line.up,
        lab: line.lab,
        ...(line.ours && { ours: { ...line.ours, nic: line.ours.nic } }),
      });
    else if ('undone' in line) due.delete(line.undone);
    else due.set(line.undo, { number: line.undo, host: line.host, commands: line.commands });
  }
  return {
    run: file.slice(file.lastIndexOf('/') + 1, -suffix.length),
    file,
    created: header.created,
    hosts: header.hosts,
    reached,
    due: [...due.values()],
    alive: mayBeAlive(header),
    damaged: lines.filter((line) => !line).length,
  };
}

/** The same as plain JSON data. */
function plain({ macRange, nic, networks }: Ours): { macRange: string; nic?: string; networks: string[] } {
  return { macRange, ...(nic !== undefined && { nic }), networks: [...networks] };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Records in a journal that these undos have run. */
export function noteUndone(file: string, numbers: readonly number[]): void {
  // The last line may have been cut off, so a line break comes first; the reader skips empty lines.
  appendFileSync(file, ['', ...numbers.map((undone) => JSON.stringify({ undone })), ''].join('\n'));
}
