/**
 * Counts the steps of a run, and sends the process a signal at one of them. `node --import` preloads it into `macvlab`.
 * A step is any action that can leave something: the begin and end of a recorded command, a program start, a request to
 * a container engine, a created file or folder. The harness itself does not use this file.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { pause } from '../../core/wait.js';
import { CommandLog } from '../../remote/command-log.js';

/** The order, as JSON in the environment variable {@link killOrderVariable}. */
export interface KillOrder {
  /** Number of the step, from 1; 0 only counts. */
  at: number;
  /** Milliseconds between the step and the signal. */
  later: number;
  /** "twice" is SIGINT followed by SIGINT, as from a user who does not want to wait. */
  how: KillSignal;
  /** A file with a line for each step, up to the step of the signal. */
  steps: string;
}

export const killSignals = ['SIGINT', 'SIGTERM', 'SIGKILL', 'twice'] as const;
export type KillSignal = (typeof killSignals)[number];

export const killOrderVariable = 'MACVLAB_KILL_ORDER';

/** Milliseconds between two signals, so that they count as two (harness/cli/interruption.ts). */
const again = 600;

const order = process.env[killOrderVariable];
if (order !== undefined) {
  // Child processes must not inherit the order.
  Reflect.deleteProperty(process.env, killOrderVariable);
  arm(JSON.parse(order) as KillOrder);
}

type Callable = (...args: unknown[]) => unknown;

function arm({ at, how, later, steps }: KillOrder): void {
  let count = 0;
  const notes = fs.openSync(steps, 'w');
  const write = fs.writeSync;
  const step = (what: string) => {
    count += 1;
    if (at !== 0 && count > at) return;
    write(notes, `${what.split('\n')[0]?.slice(0, 200)}\n`);
    if (count === at) kill(how, later);
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

function kill(how: KillSignal, later: number): void {
  if (later > 0) {
    void pause(later).then(() => kill(how, 0));
    return;
  }
  if (how !== 'twice') {
    process.kill(process.pid, how);
    return;
  }
  process.kill(process.pid, 'SIGINT');
  void pause(again).then(() => process.kill(process.pid, 'SIGINT'));
}

/** Calls `tell` after each call of a method has returned. */
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
