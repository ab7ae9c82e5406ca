/**
 * The process of a run apart (apart.ts). It receives its work and sends reports over its IPC channel. If that channel
 * closes, because the other process is gone for any reason, the run ends in order, and its labs with it.
 */
import { MacvlabError } from '../core/error.js';
import type { ApartWork, Order, Report, SettingMaker } from './apart.js';
import { failureRecord } from './failure.js';
import { runSuites } from './run-suites.js';
import type { RunListener } from './plan.js';

const stopping = new AbortController();

function send(report: Report): void {
  // If the channel is closed, the run's folder contains everything.
  if (process.connected) process.send?.(report, () => undefined);
}

function stop(why: string): void {
  stopping.abort(
    new MacvlabError('INTERRUPTED', `interrupted by ${why}`, {
      next: 'what was performed is kept; the command that was interrupted says how to go on',
    }),
  );
}

/** A listener that reports to the setting's own listener first, and then to the other process. */
function listenerWith(own: Partial<RunListener>): RunListener {
  return {
    remark(line) {
      own.remark?.(line);
      send({ kind: 'remark', line });
    },
    begin(run, total) {
      own.begin?.(run, total);
      send({ kind: 'begin', run, total });
    },
    testStarted(title, number, lab) {
      own.testStarted?.(title, number, lab);
      send({ kind: 'testStarted', title, number, lab });
    },
    testEnded(record) {
      own.testEnded?.(record);
      send({ kind: 'testEnded', record });
    },
    end() {
      own.end?.();
      send({ kind: 'end' });
    },
  };
}

async function run({ plan, setting: { module, data } }: ApartWork): Promise<Report> {
  let notes: (() => unknown) | undefined;
  try {
    stopping.signal.throwIfAborted();
    const { setting } = (await import(module)) as { setting: SettingMaker };
    const own = await setting(data as never, (line) => send({ kind: 'remark', line }));
    notes = own.notes?.bind(own);
    const { only, filters, ...rest } = plan;
    const results = await runSuites(
      {
        ...rest,
        filters: own.filters ?? filters,
        ...(only !== undefined && { only: new Set(only) }),
        ...(own.experimentEnded && { experimentEnded: own.experimentEnded.bind(own) }),
        signal: stopping.signal,
        listener: listenerWith(own.listener ?? {}),
      },
      own.drivers,
    );
    return { kind: 'done', results, notes: notes?.() };
  } catch (error) {
    return { kind: 'failed', failure: failureRecord(error), notes: notes?.() };
  }
}

process.on('disconnect', () => stop('the end of the process that began it'));
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop(name));
process.on('message', (order: Order) => {
  if (order.kind === 'stop') stop(order.why);
  else
    void run(order.work).then((report) => {
      // The parent reads all sent data before the channel closes. Then this process must exit, even if timers of a
      // clock that jumped remain.
      if (!process.connected) process.exit();
      process.send?.(report, () => process.exit());
    });
});
send({ kind: 'ready' });
