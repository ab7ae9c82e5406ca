/** The processes and the processor time of an experiment, by program. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LabDriver, Machines } from '../harness/machine/driver.js';
import { sandboxDriver } from '../harness/machine/sandbox/sandbox.js';
import type { Session } from '../harness/remote/session.js';
import { runSuites } from '../harness/run/run-suites.js';
import type { Figure } from './figure.js';
import { print } from './print.js';

/** The aims: processes of an experiment, and seconds of processor time. */
const aims = { processes: 12, seconds: 0.12 };

interface Cost {
  /** Processes by program, as the harness started them. */
  programs: Map<string, number>;
  /** All processes of the machine, by its process ids. */
  processes: number;
  /** Seconds of processor time of the machine's processes. */
  seconds: number;
}

/** What articles A1 and A4 cost in the sandbox, without the creation of the lab. */
export async function benchProcesses(): Promise<Figure[]> {
  const cost: Cost = { programs: new Map(), processes: 0, seconds: 0 };
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  const before = process.cpuUsage();
  try {
    const { records } = await runSuites(
      {
        ...{ filters: ['A1', 'A4'], lab: 'sandbox', jobs: 1, bail: false, keep: 'never', out: folder, arguments: [] },
        signal: new AbortController().signal,
        listener: {
          remark: () => undefined,
          begin: () => undefined,
          testStarted: () => undefined,
          testEnded: () => undefined,
          end: () => undefined,
        },
      },
      [measured(sandboxDriver, cost)],
    );
    const { user, system } = process.cpuUsage(before);
    const count = records.filter(({ verdict }) => verdict === 'passed').length;
    const own = (user + system) / 1e6;
    const programs = [...cost.programs]
      .sort(([, a], [, b]) => b - a)
      .map(([name, number]) => `${name} ${(number / count).toFixed(1)}`);
    print(
      `processes: ${count} experiments in one sandbox; by program, as macvlab started them: ${programs.join(', ')}`,
    );
    print('  all processes are counted by the process ids of the sandbox: also those that programs start themselves');
    print(
      `  processor time of an experiment: macvlab ${(own / count).toFixed(3)} s, the sandbox ${(cost.seconds / count).toFixed(3)} s`,
    );
    const figure = (name: string, value: number, aim: number): Figure => ({
      ...{ name, value, range: [value, value], better: 'smaller', aim },
    });
    return [
      figure('processes of an experiment in the sandbox', cost.processes / count, aims.processes),
      figure('processor seconds of an experiment in the sandbox', (own + cost.seconds) / count, aims.seconds),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A driver whose labs add their cost to a sum, from their opening to their end. */
function measured(driver: LabDriver, cost: Cost): LabDriver {
  return {
    ...driver,
    async open(topology, wire) {
      const machines = await driver.open(topology, wire);
      const sessions = [...new Set([machines.machine, ...Object.values(machines.nodes)])];
      const start = await look(machines, sessions);
      const close = machines.close.bind(machines);
      machines.close = async () => {
        const end = await look(machines, sessions);
        cost.processes += end.processes - start.processes;
        cost.seconds += end.seconds - start.seconds;
        for (const [name, number] of end.programs)
          cost.programs.set(name, (cost.programs.get(name) ?? 0) + number - (start.programs.get(name) ?? 0));
        await close();
      };
      return machines;
    },
  };
}

/** Fields of /proc/PID/stat after the command's name, from the state on: utime, stime, cutime, cstime (proc(5)). */
const times = [11, 12, 13, 14];
/** Ticks of these times per second (proc(5), sysconf(3), _SC_CLK_TCK: 100 on all architectures of Linux). */
const ticks = 100;

async function look({ machine }: Machines, sessions: readonly Session[]): Promise<Cost> {
  const programs = new Map<string, number>();
  for (const { started } of sessions)
    for (const [name, number] of started) programs.set(name, (programs.get(name) ?? 0) + number);
  // The shell's own process id is the number of processes so far.
  const { stdout } = await machine.run(['sh', '-c', 'echo $$; cat /proc/[0-9]*/stat 2>/dev/null']);
  const [pid = '', ...lines] = stdout.trim().split('\n');
  const spent = lines.flatMap((line) => {
    const fields = line.replace(/^.*\) /, '').split(' ');
    return times.map((index) => Number(fields[index]));
  });
  return { programs, processes: Number(pid), seconds: spent.reduce((sum, value) => sum + value, 0) / ticks };
}
