/** The stages of the fresh-machine proof: the README's commands, as three kinds of user would run them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MacvlabError } from '../../core/error.js';
import { cacheFolder } from '../../core/cache.js';
import { installCommand, requiredTools } from '../../setup/tools.mjs';
import type { Command, Ended, FreshMachine } from './fresh-machine.js';
import { changedTests, needs } from './needs.js';

/** One command of a stage, and its result. */
export interface Step {
  stage: StageName;
  what: string;
  milliseconds: number;
  /** Why the step is red; undefined if it is green. */
  trouble?: string;
  /** Other information for the reader: the sum of a test command, or the time of the first verdict. */
  note?: string;
}

/** `test` and `user` reuse the machine of the stage before; the other stages have their own. */
export const stageNames = ['start', 'test', 'user', 'no-install', 'short'] as const;
export type StageName = (typeof stageNames)[number];

export interface StageContext {
  /** The project's folder. The stages test its HEAD. */
  root: string;
  /** The short form runs the tests that have changed since this commit. */
  since: string;
  /** Creates an unused machine. */
  fresh: () => Promise<FreshMachine>;
  /** The machine that root has set up, if an earlier stage has done so. */
  setUp: FreshMachine | undefined;
  report: (step: Step) => void;
}

const project = 'cd ~/macvlab && ';

/** Runs a stage, and reports each step when it ends. */
export const stages: Record<StageName, (context: StageContext) => Promise<void>> = {
  async start(context) {
    const machine = (context.setUp = await cloned(context));
    await stepsOf('start', machine, context)('npm start', { line: `${project}npm start` });
  },

  async test(context) {
    const machine = (context.setUp ??= await cloned(context));
    await stepsOf('test', machine, context)('npm test', { line: `${project}npm test` });
  },

  async user(context) {
    const machine = (context.setUp ??= await setUp('user', context));
    const step = stepsOf('user', machine, context);
    await must(machine, { line: 'id user >/dev/null 2>&1 || useradd --create-home --shell /bin/sh user' });
    await clone(machine, context.root, 'user');
    // Copies root's downloads as they are, because nothing in them depends on the user.
    await must(machine, {
      line: 'mkdir -p ~user/.cache && cp -a ~/.cache/macvlab ~user/.cache/ && chown -R user: ~user',
    });
    await step('npm test', { line: `${project}npm test`, user: 'user' });
  },

  async 'no-install'(context) {
    const machine = await cloned(context);
    const step = stepsOf('no-install', machine, context);
    const environment = { MACVLAB_NO_INSTALL: '1' };
    const before = traces(machine);
    await step('npm start, with nothing there', { line: `${project}npm start`, environment }, (ended) => {
      if (ended.status !== 3) return `exit code ${ended.status}, where 3 was expected`;
      if (!ended.lines.some(({ text }) => /run as root: .*iproute2/.test(text))) return 'no command is printed';
      return same(before, traces(machine));
    });
    const programs = installCommand(requiredTools.map(({ name }) => name));
    await must(machine, { line: `apt-get update && ${programs} && ${project}npm ci --ignore-scripts --include=dev` });
    const after = traces(machine);
    await step('npm test, with what the sandbox needs', { line: `${project}npm test`, environment }, (ended) =>
      ended.status === 0 ? same(after, traces(machine)) : `exit code ${ended.status}`,
    );
  },

  async short(context) {
    const tests = [...needs, ...changedTests(context.root, context.since)];
    const machine = await setUp('short', context);
    const step = stepsOf('short', machine, context);
    for (const { what, line, green } of tests) await step(what, { line: project + line }, green);
  },
};

async function cloned(context: StageContext): Promise<FreshMachine> {
  const machine = await context.fresh();
  await clone(machine, context.root);
  return machine;
}

/** A machine on which root has installed everything that `npm test` needs. Container engines come from this machine's cache. */
async function setUp(stage: StageName, context: StageContext): Promise<FreshMachine> {
  const machine = await cloned(context);
  const cache = join(machine.folder, 'root/.cache/macvlab');
  const links = 'mkdir -p "$2" && if [ -d "$1/engines" ]; then cp -al "$1/engines" "$2"; fi';
  spawnSync('sh', ['-c', links, 'sh', cacheFolder(), cache], { stdio: 'inherit' });
  await stepsOf(stage, machine, context)('set-up', { line: `${project}npm run setup -- --for test` });
  return machine;
}

/** Clones HEAD into the user's home. */
async function clone(machine: FreshMachine, root: string, user = 'root'): Promise<void> {
  const bundle = join(machine.folder, 'var/macvlab.bundle');
  const { status, stderr } = spawnSync('git', ['-C', root, 'bundle', 'create', '--quiet', bundle, 'HEAD'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw failed('pack HEAD', stderr);
  await must(machine, { line: 'git clone --quiet /var/macvlab.bundle ~/macvlab', user });
}

/** Runs a step that is not part of the test. @throws MacvlabError PROGRAM_FAILED */
async function must(machine: FreshMachine, command: Command): Promise<void> {
  const { status, lines } = await machine.run(command);
  if (status !== 0) throw failed(command.line, lines.map(({ text }) => text).join('\n'));
}

function failed(what: string, evidence: string): MacvlabError {
  return new MacvlabError('PROGRAM_FAILED', `on the fresh machine, this failed: ${what}`, {
    evidence: evidence.slice(-4000),
    next: 'read the evidence, and the log',
  });
}

type Green = (ended: Ended) => string | undefined;
const endsWell: Green = ({ status }) => (status === 0 ? undefined : `exit code ${status}`);

function stepsOf(stage: StageName, machine: FreshMachine, { report }: StageContext) {
  return async (what: string, command: Command, green: Green = endsWell): Promise<void> => {
    const ended = await machine.run(command);
    const trouble = green(ended);
    const first = ended.lines.find(({ text }) => /^(?:ok|FAILED|ERROR|skipped) [AX]\d/.test(text));
    const sum = ended.lines
      .map(({ text }) => /^\d+ passed, \d+ failed, \d+ skipped$/.exec(text)?.[0])
      .findLast(Boolean);
    const notes = [sum, first && `first verdict after ${Math.round(first.at / 1000)} s`].filter(Boolean).join('; ');
    report({
      ...{ stage, what, milliseconds: ended.milliseconds },
      ...(notes && { note: notes }),
      ...(trouble !== undefined && { trouble: `${trouble}\n${lastLines(ended)}` }),
    });
  };
}

function lastLines({ lines }: Ended): string {
  return lines
    .slice(-30)
    .map(({ text }) => `    ${text}\n`)
    .join('');
}

/** The files that an installation leaves: apt packages, npm packages, and the cache. */
function traces({ folder }: FreshMachine): string[] {
  const packages = readFileSync(join(folder, 'var/lib/dpkg/status'), 'utf8').match(/^Package: .*$/gm) ?? [];
  const folders = ['root/macvlab', 'root/.cache'].flatMap((name) => {
    try {
      return readdirSync(join(folder, name)).filter((entry) => ['node_modules', 'macvlab'].includes(entry));
    } catch {
      return [];
    }
  });
  return [...packages, ...folders];
}

function same(before: readonly string[], after: readonly string[]): string | undefined {
  const made = after.filter((each) => !before.includes(each));
  return made.length === 0 ? undefined : `with MACVLAB_NO_INSTALL=1, this was installed: ${made.join(', ')}`;
}
