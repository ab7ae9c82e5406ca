/**
 * A worker of a matrix: performs one run in guests of one kernel, told what and telling how over its IPC channel. When that
 * channel is closed, because the matrix is gone for whatever reason, the run ends in order, and its guests with it.
 */
import { MacvlabError } from '../core/error.js';
import { loadDriver } from '../lab/drivers.js';
import { failureRecord } from '../run/failure.js';
import { perform } from '../run/perform.js';
import type { Order, Report, Work } from './work.js';

const stopping = new AbortController();

function tell(report: Report): void {
  // Where nobody hears it any more, the run's folder tells.
  if (process.connected) process.send?.(report, () => undefined);
}

function stop(why: string): void {
  stopping.abort(
    new MacvlabError('INTERRUPTED', `interrupted by ${why}`, {
      next: 'what was performed is kept; the command that was interrupted says how to go on',
    }),
  );
}

async function work({ kernel, modules, only, jobs, probeFeatures, out, arguments: words }: Work): Promise<Report> {
  try {
    stopping.signal.throwIfAborted();
    const remark = (line: string) => tell({ kind: 'remark', line });
    const driver = await loadDriver('vm', { kernel, ...(modules !== undefined && { modules }), guests: 1, remark });
    const { folder } = await perform(
      {
        filters: [],
        only: new Set(only),
        ...{ lab: 'vm', jobs, bail: false, keep: 'never', probeFeatures, out, arguments: words },
        signal: stopping.signal,
        listener: {
          remark,
          begin: () => tell({ kind: 'begun' }),
          testStarted: (title) => tell({ kind: 'started', title }),
          testEnded: (record) => tell({ kind: 'ended', record }),
          end: () => undefined,
        },
      },
      [driver],
    );
    return { kind: 'done', folder };
  } catch (error) {
    return { kind: 'failed', failure: failureRecord(error) };
  }
}

process.on('disconnect', () => stop('the end of the matrix'));
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop(name));
process.on('message', (order: Order) => {
  if (order.kind === 'stop') stop(order.why);
  else
    void work(order.work).then((report) => {
      // What has been told is read before the channel is closed; then nothing holds this process any more.
      if (!process.connected) process.exit();
      process.send?.(report, () => process.exit());
    });
});
tell({ kind: 'ready' });
