/**
 * Preloaded into `macvlab` (node --import): counts the steps of a run, and sends the process a signal at one of them. Steps are
 * all that can leave something behind: commands as they are recorded, at their begin and at their end; programs that are started; what a container
 * engine is asked; files and folders that are made. The harness itself knows nothing of it.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { pause } from '../core/wait.js';
import { CommandLog } from '../remote/command-log.js';

/** What is to be done, as JSON in the environment under {@link orderVariable}. */
export interface Order {
  /** Number of the step, from 1; 0 only counts. */
  at: number;
  /** Milliseconds between the step and the signal. */
  later: number;
  /** "twice" is SIGINT and again SIGINT, as by somebody who does not want to wait. */
  how: How;
  /** File that gets a line for each step, up to the one where it strikes. */
  steps: string;
}

export const hows = ['SIGINT', 'SIGTERM', 'SIGKILL', 'twice'] as const;
export type How = (typeof hows)[number];

export const orderVariable = 'MACVLAB_ENDS_ORDER';

/** Milliseconds between two signals that do not count as one (harness/cli/interruption.ts). */
const again = 600;

const order = process.env[orderVariable];
if (order !== undefined) {
  // What it starts need not know.
  Reflect.deleteProperty(process.env, orderVariable);
  arm(JSON.parse(order) as Order);
}

type Callable = (...args: unknown[]) => unknown;

function arm({ at, how, later, steps }: Order): void {
  let count = 0;
  const notes = fs.openSync(steps, 'w');
  const write = fs.writeSync;
  const step = (what: string) => {
    count += 1;
    if (at !== 0 && count > at) return;
    write(notes, `${what.split('\n')[0]?.slice(0, 200)}\n`);
    if (count === at) strike(how, later);
  };
  watchModule(
    fs,
    ['mkdirSync', 'mkdtempSync', 'writeFileSync', 'renameSync', 'linkSync', 'symlinkSync'],
    (name, [path]) => step(`file: ${name} ${String(path)}`),
  );
  watchModule(childProcess, ['spawn', 'spawnSync', 'execFileSync'], (name, [program, args]) =>
    step(`program: ${name} ${String(program)} ${Array.isArray(args) ? args.join(' ') : ''}`),
  );
  watchModule(http, ['request'], (_, args) => step(`engine: ${requestOf(args)}`));
  syncBuiltinESMExports();
  watch<'begin', Parameters<CommandLog['begin']>>(CommandLog.prototype, 'begin', ([{ where, argv }]) =>
    step(`begin: ${where}: ${argv.join(' ')}`),
  );
  watch<'end', Parameters<CommandLog['end']>>(CommandLog.prototype, 'end', ([{ where, argv }]) =>
    step(`end: ${where}: ${argv.join(' ')}`),
  );
}

function strike(how: How, later: number): void {
  if (later > 0) {
    void pause(later).then(() => strike(how, 0));
    return;
  }
  if (how !== 'twice') {
    process.kill(process.pid, how);
    return;
  }
  process.kill(process.pid, 'SIGINT');
  void pause(again).then(() => process.kill(process.pid, 'SIGINT'));
}

/** Tells of each call of a method, when it has returned. */
function watch<N extends string, A extends unknown[]>(
  owner: { [K in N]: (...args: A) => unknown },
  name: N,
  tell: (args: NoInfer<A>) => void,
): void {
  const original = owner[name];
  owner[name] = function (this: unknown, ...args: A) {
    const result = original.apply(this, args);
    tell(args);
    return result;
  };
}

function watchModule(module: object, names: readonly string[], tell: (name: string, args: readonly unknown[]) => void) {
  const functions = module as Record<string, Callable>;
  for (const name of names) watch(functions, name, (args) => tell(name, args));
}

function requestOf(args: readonly unknown[]): string {
  const options = args.find((arg): arg is http.RequestOptions => typeof arg === 'object' && arg !== null);
  return `${options?.method ?? 'GET'} ${options?.path ?? ''}`;
}
