/**
 * A whole run in a process of its own: suites are loaded once in a process, and performed once. Called as a program with a
 * description of the run; prints what has become of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { MacvlabError } from '../core/error.js';
import { pause } from '../core/wait.js';
import type { Outcome } from '../lab/exchange.js';
import type { LabDriver, Machines } from '../lab/driver.js';
import { sandboxDriver } from '../lab/sandbox/sandbox.js';
import { type LeftRunning, perform } from './perform.js';
import type { Keep } from './plan.js';
import type { RunRecord, TestRecord } from './record.js';
import { reproScript } from './repro.js';

/** What is special about a lab that is a sandbox otherwise. */
export type Trait =
  | 'plain'
  /** Its first node has no IPv6. */
  | 'no IPv6'
  /** It cannot be opened. */
  | 'broken'
  /** What it is prepared with is not to be had. */
  | 'unprepared'
  /** Something that it needs is not installed. */
  | 'not installed'
  /** The first that is opened ends when its first experiment is to begin. */
  | 'mortal'
  /** As a mortal one, which cannot be ended in order either. */
  | 'stuck'
  /** The first that is opened can have no new namespaces. */
  | 'full'
  /** Its switch reflects at node1's port, of which nobody knows. */
  | 'reflecting';

export interface RunDescription {
  filters: readonly string[];
  out: string;
  /** The drivers by name, the cheapest first. */
  labs: Readonly<Record<string, Trait>>;
  probeFeatures?: boolean;
  /** Labs side by side; 1 by default. */
  jobs?: number;
  /** Whether an exception is thrown where nothing catches it, while the first experiment runs. */
  stray?: boolean;
  /** When labs are left running: never without it. */
  keep?: Keep;
}

export interface RunOutcome {
  run: RunRecord;
  records: TestRecord[];
  remarks: string[];
  /** Names of the labs that were opened, in that order. */
  opened: string[];
  /** Labs that were left running. */
  kept: LeftRunning[];
  /** What each experiment that was performed would have been given as its reproduction, had it failed. */
  reproductions: Reproduction[];
}

export interface Reproduction {
  /** "A1.3 vepa: ns1 reaches the gateway" */
  title: string;
  script: string;
  /** Its pings: "node1/ns1 to 10.0.0.1". */
  pings: { what: string; outcome: Outcome; wasAsserted: boolean }[];
}

/** Performs a run to its end. */
export async function performRun(description: RunDescription): Promise<RunOutcome> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(description)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const printed = await text(child.stdout);
  await closed;
  return JSON.parse(printed) as RunOutcome;
}

async function main(description: string): Promise<void> {
  const {
    filters,
    out,
    labs,
    probeFeatures = false,
    stray = false,
    jobs = 1,
    keep = 'never',
  } = JSON.parse(description) as RunDescription;
  const opened: string[] = [];
  const remarks: string[] = [];
  const mortal: Machines[] = [];
  const reproductions: Reproduction[] = [];
  const drivers = Object.entries(labs).map(([name, trait]) => driverOf(name, trait, opened, mortal));
  const { run, records, kept } = await perform(
    {
      ...{ filters, out, lab: 'auto', jobs, bail: false, keep, arguments: [], probeFeatures },
      signal: new AbortController().signal,
      performed: (record, { wiring, setUps, own: commands, exchanges }) => {
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
        remark: (line) => void remarks.push(line),
        begin() {},
        testStarted(_, number) {
          void mortal.shift()?.close();
          if (stray && number === 1) void pause(5).then(() => process.nextTick(throwStray));
        },
        testEnded() {},
        end() {},
      },
    },
    drivers,
  );
  const outcome: RunOutcome = { run, records, remarks, opened, kept, reproductions };
  // The pipes of a lab that was left running would hold this process.
  process.stdout.write(JSON.stringify(outcome), () => process.exit());
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
      // In the sandbox's own mounts, and for this node's network stack alone (proc(5): /proc/sys/net is the reader's).
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

const [, program = '', description] = process.argv;
if (program === fileURLToPath(import.meta.url) && description !== undefined) await main(description);
