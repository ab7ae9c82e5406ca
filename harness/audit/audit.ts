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
  const waiting = [...sabotages];
  const work = async () => {
    for (let sabotage = waiting.shift(); sabotage; sabotage = waiting.shift()) {
      const began = performance.now();
      const lacking = lab === 'vm' && notInGuests(sabotage);
      if (lacking) {
        const finding = notApplicable(sabotage, `guests have no ${lacking}`);
        findings.set(sabotage, finding);
        plan.found(finding);
        continue;
      }
      const performed = await performSabotage(sabotage, { module, id: sabotage.id, lab, out }, signal);
      // A lab ends with its process.
      signal.throwIfAborted();
      const finding = judge(sabotage, performed, performance.now() - began);
      findings.set(sabotage, finding);
      plan.found(finding);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: jobs }, work));
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason as Error;
  return sabotages.flatMap((sabotage) => findings.get(sabotage) ?? []);
}

/** A program that an attack needs, and that guests do not have (harness/lab/root-recipe.ts). */
function notInGuests({ attacks }: Sabotage): string | undefined {
  const scripts = attacks.flatMap((attack) => ('script' in attack ? [attack.script] : []));
  return ['nft', 'perl'].find((program) => scripts.some((script) => script.includes(`${program} -`)));
}

const worker = fileURLToPath(new URL('worker.js', import.meta.url));

async function performSabotage(
  { attacks, patience }: Sabotage,
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
  const script = 'mount -t tmpfs -o "size=$1" sabotage "$2" && shift 2 && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', script, 'sh', size, folder, ...command];
}
