/** A scratch machine, in which runs are ended one after the other. It reports everything that they leave. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../core/cache.js';
import { messageOf } from '../../core/error.js';
import { timeout, poll, within } from '../../core/wait.js';
import { type KillSignal, type KillOrder, killOrderVariable } from './kill-at-step.js';
import { type Places, leftoversOn } from './leftovers.js';

export interface KillJob {
  /** The folder of the machine. */
  folder: string;
  /** Arguments of `macvlab run`. */
  run: readonly string[];
  /** Whether the runs use containers. The machine then has an engine. */
  containers: boolean;
  /** Whether `macvlab gc` cleans up after each run. */
  gc: boolean;
  /** Milliseconds in which all parts of a run must be gone; default 20 s. */
  settle?: number;
  /** Whether the first run is an uninterrupted one. */
  rehearse: boolean;
}

export interface Kill {
  at: number;
  how: KillSignal;
  /** Milliseconds between the step and the signal; default 0. */
  later?: number;
}

/** The result of a run that was ended. */
export interface KilledRun extends Kill {
  /** The step at which the run was ended: "begin: node1: ip …". */
  step: string;
  /** Exit code, or the signal that ended the process. */
  exit: string;
  /** Milliseconds until nothing was left. */
  clean: number;
  /** The problems found; empty if there are none. */
  troubles: string[];
}

/** The result of an uninterrupted run. */
export interface UninterruptedRun {
  /** All steps of the run. */
  steps: string[];
  troubles: string[];
}

/** Milliseconds. */
const [runDeadline, cleanDeadline] = [180_000, 20_000];

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export class ScratchMachine {
  readonly #job: KillJob;
  readonly #places: Places;
  readonly #environment: NodeJS.ProcessEnv;
  #before: ReadonlySet<string>;

  /** @param engine DOCKER_HOST of the machine's own engine */
  constructor(job: KillJob, engine: string | undefined) {
    const { folder } = job;
    this.#job = job;
    this.#places = {
      temporary: join(folder, 'tmp'),
      state: join(folder, 'state'),
      cache: cacheFolder(),
      ...(engine !== undefined && { engine: dirname(new URL(engine).pathname) }),
    };
    const { temporary, state } = this.#places;
    mkdirSync(temporary, { recursive: true });
    this.#environment = {
      ...process.env,
      TMPDIR: temporary,
      MACVLAB_STATE: state,
      ...(engine !== undefined && { DOCKER_HOST: engine }),
    };
    this.#before = leftoversOn(this.#places);
  }

  /** Runs macvlab to its end. The run must pass and leave nothing. */
  async rehearse(): Promise<UninterruptedRun> {
    const { exit, output, steps } = await this.#run({ at: 0, how: 'SIGINT' });
    const troubles = exit === '0' ? [] : [`it ended with ${exit}: ${output}`];
    const { left } = await this.#left();
    this.#before = leftoversOn(this.#places);
    return { steps, troubles: [...troubles, ...(this.#job.containers ? [] : left)] };
  }

  async end(kill: Kill): Promise<KilledRun> {
    const { exit, output, steps } = await this.#run(kill);
    const killed = steps.length === kill.at;
    const troubles = killed ? whyOdd(kill, exit, output) : [`it ended before, with ${exit}: ${output}`];
    const { left, clean } = await this.#left();
    troubles.push(...left);
    const next = await this.#run({ at: 0, how: 'SIGINT' });
    if (next.exit !== '0') troubles.push(`the next run ended with ${next.exit}: ${next.output}`);
    const behind = await this.#left();
    troubles.push(...behind.left.filter((each) => !left.includes(each)).map((each) => `behind the next run: ${each}`));
    // Report each leftover only once.
    this.#before = leftoversOn(this.#places);
    return { ...kill, step: steps.at(-1) ?? '', exit, clean, troubles };
  }

  async #run({ at, how, later = 0 }: Kill): Promise<{ exit: string; output: string; steps: string[] }> {
    const reports = join(this.#job.folder, 'reports');
    const steps = join(this.#job.folder, 'steps');
    rmSync(reports, { recursive: true, force: true });
    const order: KillOrder = { at, how, later, steps };
    const command = [
      '--import',
      here('kill-at-step.js'),
      here('../../cli/main.js'),
      'run',
      ...this.#job.run,
      '--out',
      reports,
    ];
    const ended = await this.#perform(command, { [killOrderVariable]: JSON.stringify(order) });
    return { ...ended, steps: readFileSync(steps, 'utf8').trimEnd().split('\n') };
  }

  /** Differences from the state before the run. Returns when there are none, or when the deadline passes. */
  async #left(): Promise<{ left: string[]; clean: number }> {
    const gc = this.#job.gc ? await this.#perform([here('../../cli/main.js'), 'gc']) : undefined;
    const began = performance.now();
    const difference = () => {
      const now = leftoversOn(this.#places);
      const more = [...now].filter((line) => !this.#before.has(line)).map((line) => `left: ${line}`);
      return [...more, ...[...this.#before].filter((line) => !now.has(line)).map((line) => `gone: ${line}`)];
    };
    let left: string[] = [];
    await poll(
      () => {
        left = difference();
        return Promise.resolve(left.length === 0 || undefined);
      },
      { what: 'nothing to be left', deadline: timeout(this.#job.settle ?? cleanDeadline) },
    ).catch(() => undefined);
    if (gc && gc.exit !== '0') left.push(`macvlab gc ended with ${gc.exit}: ${gc.output}`);
    return { left, clean: Math.round(performance.now() - began) };
  }

  /** Runs node, and kills it if it does not end in time. */
  async #perform(
    args: readonly string[],
    more: Record<string, string> = {},
  ): Promise<{ exit: string; output: string }> {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.#environment, ...more },
    });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (status, signal) => resolve(signal ?? String(status)));
    });
    const deadline = timeout(runDeadline);
    const exit = await within(exited, { what: 'macvlab to end', deadline }).catch((error: unknown) => {
      child.kill('SIGKILL');
      return messageOf(error);
    });
    // A leftover process that has inherited the output keeps it open.
    const said = await within(output, { what: 'its output to end', deadline: timeout(cleanDeadline) }).catch(() => [
      'its output does not end',
    ]);
    return { exit, output: said.join('').trim().slice(-2000) };
  }
}

/** An unexpected exit of a run that was to be ended. The run may have been at its end, or not yet have had a signal handler. */
function whyOdd({ how }: Kill, exit: string, output: string): string[] {
  const signal = how === 'twice' ? 'SIGINT' : how;
  const fine = how === 'SIGKILL' ? [signal] : [signal, '130', '0'];
  return fine.includes(exit) ? [] : [`it ended with ${exit}: ${output}`];
}
export interface KillPlan {
  /** Arguments of `macvlab run`. */
  run: readonly string[];
  containers: boolean;
  /** Whether `macvlab gc` cleans up after each run. */
  gc: boolean;
  /** Milliseconds in which all parts of a run must be gone. */
  settle?: number;
  /** Folder in which each machine has its own folder. */
  folder: string;
  /** How many machines run side by side. */
  jobs: number;
  /** Selects the runs to end, after the number of steps is determined. */
  choose(steps: number): Kill[];
  /** When it is aborted, no more runs are ended. */
  signal: AbortSignal;
  found(ending: KilledRun): void;
}
