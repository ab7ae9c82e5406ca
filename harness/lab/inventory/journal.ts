/**
 * What a run is about to change of hosts' own networks, and how it is undone: one file per run on this machine, a line before each
 * change and a line after each undo. A run that ends in order leaves none; what a killed one leaves is performed by
 * `macvlab gc`, or by the next run on the same host.
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
import { MacvlabError, messageOf } from '../../core/error.js';
import type { Session } from '../../remote/session.js';
import type { Ours } from '../host-snapshot.js';
import { mayBeAlive, ownerSchema, thisOwner } from '../owner.js';
import type { HostAddress } from './machine.js';

/** A host whose own network a run may change. */
export interface JournalHost {
  address: HostAddress;
  /** Its network card that carries the experiments. */
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
  /** A host that was reached, the boot that it was in, with which all that was changed goes, and the lab’s first process there. */
  z.object({
    host: z.string(),
    up: z.string(),
    lab: z.string(),
    /** What the host learns of the lab, to be forgotten with it; journals of older versions do not tell. */
    ours: z.object({ macRange: z.string(), nic: z.string().optional(), networks: z.array(z.string()) }).exactOptional(),
  }),
  z.object({ undo: z.number(), host: z.string(), commands: z.array(z.array(z.string())) }),
  z.object({ undone: z.number() }),
]);

type Line = z.infer<typeof lineSchema>;

/** A host as it was reached. */
export interface ReachedThen {
  /** Which boot it was in. */
  up: string;
  /** The lab's first process there. */
  lab: string;
  /** What is the lab's among its neighbours. */
  ours?: Ours;
}

/** An undo that is due. */
export interface NotedUndo {
  number: number;
  host: string;
  /** To be performed in this order. */
  commands: string[][];
}

/** What a journal says. */
export interface ReadJournal {
  run: string;
  file: string;
  created: string;
  hosts: JournalHost[];
  /** The hosts as they were reached, by name. */
  reached: ReadonlyMap<string, ReachedThen>;
  /** Undos that are due, oldest first. */
  due: NotedUndo[];
  /** Whether the run may still be at work. */
  alive: boolean;
  /** Lines that cannot be read and are not the last, which may have been cut off. */
  damaged: number;
}

/** Where journals are: unlike labs, changes of hosts outlive a boot of this machine, and so do their journals. */
function journalFolder(): string {
  const { MACVLAB_STATE: own, XDG_STATE_HOME: state } = process.env;
  return resolve(own || join(state || join(homedir(), '.local/state'), 'macvlab'), 'inventory');
}

const suffix = '.jsonl';

/** The journal of this run. */
export class Journal {
  readonly file: string;
  readonly #descriptor: number;
  /** Numbers of the undos that are due, and each one's host. */
  readonly #due = new Map<number, string>();
  #count = 0;
  #ended = false;

  private constructor(file: string, descriptor: number) {
    this.file = file;
    this.#descriptor = descriptor;
  }

  /** Begins a journal, before any host is changed. @throws MacvlabError LAB_OPEN when it cannot be written */
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
   * From now on, undos of changes that are made in this session's own network are noted.
   * @param ours what the host learns of the lab
   * @throws MacvlabError REMOTE_DEAD, REMOTE_DEADLINE
   */
  async watch(host: string, session: Session, ours?: Ours): Promise<void> {
    this.#write({ host, up: await bootOf(session), lab: await labOf(session), ...(ours && { ours: plain(ours) }) });
    const links = await linkNames(session);
    session.journal = { note: (undo) => this.#note(host, undo, links) };
  }

  /** How many undos are due, in all or of one host. */
  due(host?: string): number {
    return [...this.#due.values()].filter((each) => host === undefined || each === host).length;
  }

  /** Ends it: the file is removed, unless something is still due. Idempotent. */
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
      // A note that is settled late, with its scope, finds the journal performed and gone.
      if (!this.#due.delete(number) || this.#ended) return;
      this.#write({ undone: number });
    };
  }

  /** Whole before it returns, also on the disk: the change comes next. */
  #write(line: Line | z.infer<typeof headerSchema>): void {
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#descriptor);
  }
}

/**
 * Whether a command deletes a link that was there before us. A change that would make another of that name is refused, and its
 * undo never due; should we be killed before we hear of that, the host's own link must stay.
 */
function deletes(argv: readonly string[], links: ReadonlySet<string>): boolean {
  const [ip, link, verb, ...rest] = argv;
  return ip === 'ip' && link === 'link' && verb === 'delete' && links.has(rest.at(-1) ?? '');
}

async function linkNames(session: Session): Promise<Set<string>> {
  const { stdout } = await session.run(['ip', '-o', 'link', 'show']);
  return new Set(stdout.split('\n').flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []));
}

/** What tells a boot of a host from the one before. */
export async function bootOf(session: Session): Promise<string> {
  return (await session.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
}

/** The lab’s first process on a host, as it can be found there: its PID namespace, and field 22 of its /proc/PID/stat (proc(5)). */
export async function labOf(session: Session): Promise<string> {
  const script = 'read -r stat </proc/1/stat; set -- ${stat##*) }; echo "$(readlink /proc/self/ns/pid) ${20}"';
  return (await session.run(['sh', '-c', script])).stdout.trim();
}

/** Performed outside of the lab: ends it, if it is still there, and with it all of its processes. */
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

/** All journals there are, oldest first; a file in which not even the first line is whole is none. */
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
 * Reads a journal as its run left it. A change is made only when its line is whole, so that a last line that was cut off says
 * nothing. Without a whole first line, nothing was changed, and the file is nobody's.
 */
export function readJournal(file: string): ReadJournal | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Its run has ended in this moment.
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

/** As JSON has it. */
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

/** Notes in a journal that somebody else has performed its undos. */
export function noteUndone(file: string, numbers: readonly number[]): void {
  // The last line may have been cut off: an empty one in between says nothing.
  appendFileSync(file, ['', ...numbers.map((undone) => JSON.stringify({ undone })), ''].join('\n'));
}
