/**
 * A process that runs test files with mocha, one after the other, on request of its parent (workers.ts). Test output
 * and details of failures go to standard output and standard error. Results go through the IPC channel.
 */
import Mocha from 'mocha';
import type { FileResult } from './file-result.js';

/** Milliseconds for a test or a hook without its own timeout. Other tests run at the same time. */
const timeout = 30_000;

/**
 * How many times the timeouts of tests are multiplied. They end tests that hang, and are chosen on machines that are not
 * slow. A slow machine must not be red.
 */
const slowest = 5;

let runner: Mocha.Runner | undefined;
/** The last test file that ran, for errors that occur after its tests. */
let last = '';

// Mocha ignores a rejected promise that no test awaits.
process.on('unhandledRejection', (reason) => {
  throw reason;
});
process.on('uncaughtException', (error) => {
  // While tests run, mocha has a listener that fails the running test.
  if (runner) return;
  process.stderr.write(`after the tests of ${last}: ${error.stack ?? error.message}\n`);
  process.exit(1);
});
// The first signal lets the running test end. The second ends this process at once, and labs end with it.
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupted || !runner) process.exit(1);
    interrupted = true;
    runner.abort();
  });
}
process.on('disconnect', () => process.exit());
process.on('message', (file: string) => {
  void runFile(file).then((result) => process.send?.(result));
});

async function runFile(file: string): Promise<FileResult> {
  last = file;
  const result: FileResult = { passed: 0, skipped: [], failures: [] };
  const mocha = new Mocha({ timeout, forbidOnly: true, color: false }).addFile(file);
  mocha.reporter(
    class extends Mocha.reporters.Base {
      constructor(runs: Mocha.Runner, options: Mocha.MochaOptions) {
        super(runs, options);
        const { EVENT_TEST_PASS, EVENT_TEST_PENDING, EVENT_TEST_FAIL, EVENT_RUN_END } = Mocha.Runner.constants;
        runs
          .on(EVENT_TEST_PASS, () => result.passed++)
          .on(EVENT_TEST_PENDING, (test: Mocha.Test) => result.skipped.push(test.fullTitle()))
          .on(EVENT_TEST_FAIL, (test: Mocha.Test, error: Error) =>
            result.failures.push({ title: test.fullTitle(), message: error.message }),
          )
          .once(EVENT_RUN_END, () => {
            if (this.failures.length > 0) Mocha.reporters.Base.list(this.failures);
          });
      }
    },
  );
  try {
    await mocha.loadFilesAsync();
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`${cause.stack}\n`);
    return { ...result, failures: [{ title: `load ${file}`, message: cause.message }] };
  }
  stretchTimeouts(mocha.suite);
  return new Promise((resolve) => {
    runner = mocha.run(() => {
      runner = undefined;
      resolve(result);
    });
  });
}

/** Multiplies the timeouts of all tests and hooks of a suite, and of the suites in it. */
function stretchTimeouts(suite: Mocha.Suite): void {
  // Mocha has no public list of a suite's hooks.
  const hooks = suite as unknown as Record<'_beforeAll' | '_beforeEach' | '_afterEach' | '_afterAll', Mocha.Hook[]>;
  const { _beforeAll, _beforeEach, _afterEach, _afterAll } = hooks;
  for (const runnable of [...suite.tests, ..._beforeAll, ..._beforeEach, ..._afterEach, ..._afterAll])
    runnable.timeout(runnable.timeout() * slowest);
  for (const inner of suite.suites) stretchTimeouts(inner);
}
