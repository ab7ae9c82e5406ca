/** The audit: sabotages performed side by side, each in a process of its own, and judged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Finding, judge, notApplicable } from './judge.js';
import type { Sabotage } from './sabotage.js';
import type { Commission, Performed } from './worker.js';

export interface AuditPlan {
  sabotages: readonly Sabotage[];
  /** URL of the module that exports them. */
  module: string;
  lab: Commission['lab'];
  /** Folder in which each run makes its own. */
  out: string;
  /** How many labs are used side by side. */
  jobs: number;
  /** Ends what is going on, of which nothing is found then. */
  signal: AbortSignal;
  /** Told what has become of each, as soon as it is known. */
  found(finding: Finding): void;
}

/**
 * Performs an audit.
 * @returns what was found, in the order of the sabotages
 * @throws the signal's reason, when all processes have ended
 */
export async function performAudit(plan: AuditPlan): Promise<Finding[]> {
  const { sabotages, module, lab, out, jobs, signal } = plan;
  const findings = new Map<Sabotage, Finding>();
  const found = (sabotage: Sabotage, finding: Finding) => {
    findings.set(sabotage, finding);
    plan.found(finding);
  };
  const lacking = (sabotage: Sabotage) => (lab === 'vm' ? notInGuests(sabotage) : undefined);
  const applicable = sabotages.filter((sabotage) => lacking(sabotage) === undefined);
  for (const sabotage of sabotages) {
    const program = lacking(sabotage);
    if (program !== undefined) found(sabotage, notApplicable(sabotage, `guests have no ${program}`));
  }
  const controls = [...new Set(applicable.map(({ patience }) => patience))].map(
    (patience) => new Control(applicable, patience),
  );
  const judged: Promise<void>[] = [];
  const waiting = [
    ...controls.map((control) => async () => {
      const { attacks, experiments, patience } = control;
      const performed = await performApart({ attacks, patience }, { module, id: experiments, lab, out }, signal);
      signal.throwIfAborted();
      control.end(performed);
    }),
    ...applicable.map((sabotage) => async () => {
      const began = performance.now();
      const performed = await performApart(sabotage, { module, id: sabotage.id, lab, out }, signal);
      const duration = performance.now() - began;
      // A lab ends with its process.
      signal.throwIfAborted();
      const control = controls.find(({ patience }) => patience === sabotage.patience);
      judged.push(
        (control?.performed ?? Promise.reject(new Error('no control'))).then((without) =>
          found(sabotage, judge(sabotage, performed, without, duration)),
        ),
      );
    }),
  ];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
  };
  const ended = await Promise.allSettled(Array.from({ length: jobs }, work));
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason as Error;
  await Promise.all(judged);
  return sabotages.flatMap((sabotage) => findings.get(sabotage) ?? []);
}

/** The experiments of all sabotages with the same deadlines, in a lab that nobody breaks: what is red there proves nothing. */
class Control {
  readonly attacks = [];
  readonly experiments: readonly string[];
  readonly performed: Promise<Performed>;
  readonly patience: number | undefined;
  end: (performed: Performed) => void = () => undefined;

  constructor(sabotages: readonly Sabotage[], patience: number | undefined) {
    this.patience = patience;
    const filters = sabotages.filter((each) => each.patience === patience).map(({ experiments }) => experiments);
    // No filter means all experiments.
    this.experiments = filters.some(({ length }) => length === 0) ? [] : [...new Set(filters.flat())];
    this.performed = new Promise((resolve) => (this.end = resolve));
  }
}

/** A program that an attack needs, and that guests do not have (harness/lab/root-recipe.ts). */
function notInGuests({ attacks }: Sabotage): string | undefined {
  const scripts = attacks.flatMap((attack) => ('script' in attack ? [attack.script] : []));
  return ['nft', 'perl'].find((program) => scripts.some((script) => script.includes(`${program} -`)));
}

const worker = fileURLToPath(new URL('worker.js', import.meta.url));

async function performApart(
  { attacks, patience }: { attacks: Sabotage['attacks']; patience?: number | undefined },
  commission: Commission,
  signal: AbortSignal,
): Promise<Performed> {
  const command = [process.execPath, worker, JSON.stringify(commission)];
  const disk = attacks.find((attack) => attack.way === 'disk');
  const [program = '', ...rest] = disk ? onSmallDisk(disk.size, commission.out, command) : command;
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(patience === undefined ? {} : { MACVLAB_PATIENCE: String(patience) }) },
  });
  const end = () => child.kill('SIGKILL');
  signal.addEventListener('abort', end);
  const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  signal.removeEventListener('abort', end);
  try {
    return JSON.parse(printed) as Performed;
  } catch {
    return {
      exit: 3,
      kernel: '',
      records: [],
      trouble: `its process said nothing that can be read: ${said.trim() || printed}`,
    };
  }
}

/** A command in mounts of its own, where a folder is a disk of a given size. */
function onSmallDisk(size: string, folder: string, command: readonly string[]): string[] {
  const script = 'mount -t tmpfs -o "size=$1,nr_inodes=2k" sabotage "$2" && shift 2 && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', script, 'sh', size, folder, ...command];
}
