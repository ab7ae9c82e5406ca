/** A machine as good as new, in which runs are ended one after the other, and all that is left of them is told. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../core/cache.js';
import { messageOf } from '../core/error.js';
import { patience, poll, within } from '../core/wait.js';
import { type How, type Order, orderVariable } from './strike.js';
import { type Places, traces } from './traces.js';

export interface Commission {
  /** Its own folder. */
  folder: string;
  /** Arguments of `macvlab run`. */
  run: readonly string[];
  /** Whether it is about containers: there is an engine then. */
  containers: boolean;
  /** Whether `macvlab gc` cleans up behind each run. */
  gc: boolean;
  /** Milliseconds in which all of a run must be gone; default 20 s. */
  settle?: number;
  /** Whether a run that nobody ends comes first. */
  rehearse: boolean;
}

export interface Strike {
  at: number;
  how: How;
  /** Milliseconds after that step; default 0. */
  later?: number;
}

/** What has become of a run that was ended. */
export interface Ending extends Strike {
  /** "begin: node1: ip …", the step at which it was ended. */
  step: string;
  /** Exit code, or the signal that it died of. */
  exit: string;
  /** Milliseconds until nothing was left. */
  clean: number;
  /** What is wrong; empty when all is well. */
  troubles: string[];
}

/** What is known of a run that was not ended. */
export interface Rehearsal {
  /** All its steps. */
  steps: string[];
  troubles: string[];
}

/** Milliseconds. */
const [runDeadline, cleanDeadline] = [180_000, 20_000];

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export class World {
  readonly #commission: Commission;
  readonly #places: Places;
  readonly #environment: NodeJS.ProcessEnv;
  #before: ReadonlySet<string>;

  /** @param engine DOCKER_HOST of an engine of the world's own */
  constructor(commission: Commission, engine: string | undefined) {
    const { folder } = commission;
    this.#commission = commission;
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
    this.#before = traces(this.#places);
  }

  /** Performs a run to its end, which must pass and leave nothing. */
  async rehearse(): Promise<Rehearsal> {
    const { exit, output, steps } = await this.#run({ at: 0, how: 'SIGINT' });
    const troubles = exit === '0' ? [] : [`it ended with ${exit}: ${output}`];
    const { left } = await this.#left();
    this.#before = traces(this.#places);
    return { steps, troubles: [...troubles, ...(this.#commission.containers ? [] : left)] };
  }

  async end(strike: Strike): Promise<Ending> {
    const { exit, output, steps } = await this.#run(strike);
    const struck = steps.length === strike.at;
    const troubles = struck ? whyOdd(strike, exit, output) : [`it ended before, with ${exit}: ${output}`];
    const { left, clean } = await this.#left();
    troubles.push(...left);
    const next = await this.#run({ at: 0, how: 'SIGINT' });
    if (next.exit !== '0') troubles.push(`the next run ended with ${next.exit}: ${next.output}`);
    const behind = await this.#left();
    troubles.push(...behind.left.filter((each) => !left.includes(each)).map((each) => `behind the next run: ${each}`));
    // What is left is told once.
    this.#before = traces(this.#places);
    return { ...strike, step: steps.at(-1) ?? '', exit, clean, troubles };
  }

  async #run({ at, how, later = 0 }: Strike): Promise<{ exit: string; output: string; steps: string[] }> {
    const reports = join(this.#commission.folder, 'reports');
    const steps = join(this.#commission.folder, 'steps');
    rmSync(reports, { recursive: true, force: true });
    const order: Order = { at, how, later, steps };
    const command = [
      '--import',
      here('strike.js'),
      here('../cli/main.js'),
      'run',
      ...this.#commission.run,
      '--out',
      reports,
    ];
    const ended = await this.#perform(command, { [orderVariable]: JSON.stringify(order) });
    return { ...ended, steps: readFileSync(steps, 'utf8').trimEnd().split('\n') };
  }

  /** What is there that was not before, as soon as that is nothing, or has not become nothing in time. */
  async #left(): Promise<{ left: string[]; clean: number }> {
    const gc = this.#commission.gc ? await this.#perform([here('../cli/main.js'), 'gc']) : undefined;
    const began = performance.now();
    const difference = () => {
      const now = traces(this.#places);
      const more = [...now].filter((line) => !this.#before.has(line)).map((line) => `left: ${line}`);
      return [...more, ...[...this.#before].filter((line) => !now.has(line)).map((line) => `gone: ${line}`)];
    };
    let left: string[] = [];
    await poll(
      () => {
        left = difference();
        return Promise.resolve(left.length === 0 || undefined);
      },
      { what: 'nothing to be left', deadline: patience(this.#commission.settle ?? cleanDeadline) },
    ).catch(() => undefined);
    if (gc && gc.exit !== '0') left.push(`macvlab gc ended with ${gc.exit}: ${gc.output}`);
    return { left, clean: Math.round(performance.now() - began) };
  }

  /** Runs node, and ends it if it does not end. */
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
    const deadline = patience(runDeadline);
    const exit = await within(exited, { what: 'macvlab to end', deadline }).catch((error: unknown) => {
      child.kill('SIGKILL');
      return messageOf(error);
    });
    // Who has inherited its output, and is left, holds it open.
    const said = await within(output, { what: 'its output to end', deadline: patience(cleanDeadline) }).catch(() => [
      'its output does not end',
    ]);
    return { exit, output: said.join('').trim().slice(-2000) };
  }
}

/** What is wrong with how a run ended that was told to; it may have been at its end, or not have begun to listen to signals. */
function whyOdd({ how }: Strike, exit: string, output: string): string[] {
  const signal = how === 'twice' ? 'SIGINT' : how;
  const fine = how === 'SIGKILL' ? [signal] : [signal, '130', '0'];
  return fine.includes(exit) ? [] : [`it ended with ${exit}: ${output}`];
}
