/** Makes a whole run in a separate process, in labs with special traits, and returns notes about it. */
import { MacvlabError } from '../core/error.js';
import { pause } from '../core/wait.js';
import type { Outcome } from '../exchange/exchange.js';
import type { LabDriver, Machines } from '../machine/driver.js';
import type { Session } from '../remote/session.js';
import { sandboxDriver } from '../machine/sandbox/sandbox.js';
import { runApart, type Setting } from './apart.js';
import type { NewDetached } from '../machine/detached/detached-labs.js';
import type { Keep } from './plan.js';
import type { RunRecord, TestRecord } from './record.js';
import { reproScript } from './evidence/repro.js';

/** The difference of a lab from a sandbox. */
export type Trait =
  | 'plain'
  /** Its first node has no IPv6. */
  | 'no IPv6'
  /** It cannot be opened. */
  | 'broken'
  /** Its preparation fails, because a file cannot be downloaded. */
  | 'unprepared'
  /** A program that it needs is not installed. */
  | 'not installed'
  /** The first opened lab ends when its first experiment is about to begin. */
  | 'mortal'
  /** As `mortal`, and it cannot be closed in order either. */
  | 'stuck'
  /** The first opened lab cannot have new namespaces. */
  | 'full'
  /** Its switch reflects at node1's port, and the driver does not report this. */
  | 'reflecting';

export interface RunDescription {
  filters: readonly string[];
  out: string;
  /** The drivers by name, from the cheapest. */
  labs: Readonly<Record<string, Trait>>;
  probeFeatures?: boolean;
  /** How many labs run side by side; 1 by default. */
  jobs?: number;
  /** Whether an uncaught exception is thrown while the first experiment runs. */
  stray?: boolean;
  /** When labs keep running; never if absent. */
  keep?: Keep;
}

export interface RunOutcome {
  run: RunRecord;
  records: TestRecord[];
  remarks: string[];
  /** Names of the opened labs, in that order. */
  opened: string[];
  /** The processes that the sessions of all labs have started, by program. */
  started: Record<string, number>;
  /** The detached labs. */
  kept: NewDetached[];
  /** The reproduction that each experiment would have if it had failed. */
  reproductions: Reproduction[];
}

export interface Reproduction {
  /** "A1.3 vepa, hairpin off, ping to the gateway: answered" */
  title: string;
  script: string;
  /** Its pings: "node1/ns1 to 10.0.0.1". */
  pings: { what: string; outcome: Outcome; wasAsserted: boolean }[];
}

/** Makes a run to its end, in a separate process. */
export async function runInLabs(description: RunDescription): Promise<RunOutcome> {
  const { filters, out, probeFeatures = false, jobs = 1, keep = 'never' } = description;
  const remarks: string[] = [];
  let noted: RunNotes = { opened: [], reproductions: [], started: {} };
  const { run, records, kept } = await runApart(
    {
      plan: { filters, out, lab: 'auto', jobs, bail: false, keep, arguments: [], probeFeatures },
      setting: { module: new URL('./run-suites.test-support.js', import.meta.url).href, data: description },
    },
    {
      ...{ what: 'a run of a test', signal: new AbortController().signal },
      listener: { remark: (line) => void remarks.push(line) },
      notes: (notes) => (noted = notes as RunNotes),
    },
  );
  return { run, records, remarks, kept, ...noted };
}

type RunNotes = Pick<RunOutcome, 'opened' | 'reproductions' | 'started'>;

/** The labs and notes of the run, in the run's process. */
export function setting({ labs, stray = false }: RunDescription): Setting {
  const opened: string[] = [];
  const mortal: Machines[] = [];
  const reproductions: Reproduction[] = [];
  const sessions = new Set<Session>();
  return {
    drivers: Object.entries(labs).map(([name, trait]) => {
      const driver = driverOf(name, trait, opened, mortal);
      return {
        ...driver,
        async open(topology, wire) {
          const machines = await driver.open(topology, wire);
          for (const session of [machines.machine, ...Object.values(machines.nodes)]) sessions.add(session);
          return machines;
        },
      };
    }),
    experimentEnded(record, { wiring, setUps, own: commands, exchanges }) {
      if (record.verdict === 'skipped' || commands.length === 0) return;
      const setUp = setUps.flatMap((each) => each.commands);
      reproductions.push({
        title: `${record.id} ${record.title}`,
        script: reproScript({ record, wiring, setUp, commands, exchanges }),
        pings: exchanges.map(({ from, target, outcome, expected }) => ({
          what: `${from.stack.name} to ${target}`,
          outcome,
          wasAsserted: expected !== undefined,
        })),
      });
    },
    listener: {
      testStarted(_, number) {
        void mortal.shift()?.close();
        if (stray && number === 1) void pause(5).then(() => process.nextTick(throwStray));
      },
    },
    notes: (): RunNotes => ({ opened, reproductions, started: startedBy(sessions) }),
  };
}

function startedBy(sessions: ReadonlySet<Session>): Record<string, number> {
  const all = [...sessions].flatMap(({ started }) => [...started]);
  return Object.fromEntries(
    all.map(([name]) => [name, all.reduce((sum, [each, count]) => (each === name ? sum + count : sum), 0)]),
  );
}

function throwStray(): never {
  throw new Error('nothing catches this');
}

function driverOf(name: string, trait: Trait, opened: string[], mortal: Machines[]): LabDriver {
  return {
    name,
    check: () =>
      Promise.resolve([
        { what: 'a thing', found: trait !== 'not installed', detail: 'of this test', next: 'get a thing' },
        { what: 'another', found: true, detail: 'of this test' },
      ]),
    prepare: () => {
      if (trait !== 'unprepared') return Promise.resolve({});
      throw new MacvlabError('KERNEL_FETCH', `no kernel for ${name}`, { next: 'look for one' });
    },
    async open(topology, wire) {
      opened.push(name);
      const isFirst = opened.filter((each) => each === name).length === 1;
      if (trait === 'broken' || trait === 'unprepared')
        throw new MacvlabError('LAB_OPEN', `${name} is broken`, { next: `mend ${name}` });
      const machines = await sandboxDriver.open(topology, wire);
      // In the sandbox's own mounts, and only for this node's network stack (proc(5): /proc/sys/net depends on the
      // reader).
      if (trait === 'no IPv6')
        await machines.nodes.node1.run(['mount', '-t', 'tmpfs', 'nothing', '/proc/sys/net/ipv6']);
      if ((trait === 'mortal' || trait === 'stuck') && isFirst) mortal.push({ ...machines });
      if (trait === 'stuck' && isFirst) {
        const close = machines.close.bind(machines);
        machines.close = () => close().then(() => Promise.reject(new Error('the lab is stuck')));
      }
      if (trait === 'full' && isFirst)
        await machines.nodes.node1.run(['mount', '-t', 'tmpfs', '-o', 'ro', 'nothing', '/run/netns']);
      if (trait === 'reflecting')
        await machines.nodes.switch?.run(['bridge', 'link', 'set', 'dev', 'node1', 'hairpin', 'on']);
      return machines;
    },
  };
}
