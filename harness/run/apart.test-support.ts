/** Runs apart whose process ends in different ways. */
import { MacvlabError } from '../core/error.js';
import { sandboxDriver } from '../machine/sandbox/sandbox.js';
import type { Setting } from './apart.js';

/** How the process of the run ends. */
export type Fate = 'lives' | 'is killed' | 'cannot begin' | 'has a bug' | 'is killed in a test';

/** The setting of the run, in the run's process. */
export function setting(fate: Fate, remark: (line: string) => void): Setting {
  remark(`process ${process.pid}`);
  if (fate === 'is killed') {
    process.stderr.write('last words\n');
    process.kill(process.pid, 'SIGKILL');
  }
  if (fate === 'has a bug') throw new TypeError('a bug of a setting');
  const refused = () => Promise.reject(new MacvlabError('LAB_OPEN', 'no lab today', { evidence: 'why', next: 'wait' }));
  const testStarted = () => {
    if (fate === 'is killed in a test') process.kill(process.pid, 'SIGKILL');
  };
  return {
    drivers: [fate === 'cannot begin' ? { ...sandboxDriver, open: refused } : sandboxDriver],
    listener: { testStarted },
    notes: () => ({ fate }),
  };
}
