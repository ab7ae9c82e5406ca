/** `macvlab run --dry-run`: what a run would do on somebody else's hosts, from a rehearsal in labs of this machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MacvlabError } from '../core/error.js';
import type { LabDriver } from '../lab/driver.js';
import { loadDrivers } from '../lab/drivers.js';
import { rehearsalOf } from '../lab/rehearsal.js';
import { dryRunLines, type DryRun } from '../report/dry-run.js';
import type { RunPlan } from '../run/plan.js';
import { perform } from '../run/perform.js';
import { remark, say } from './output.js';

/**
 * Rehearses a run, and prints what it would do. No host is asked for anything.
 * @param drivers those of the run itself
 * @param details whether scripts are shown in full, and how hosts are reached
 * @throws MacvlabError USAGE when they make their own machines; what keeps labs of this machine from being opened
 */
export async function printDryRun(
  drivers: readonly LabDriver[],
  plan: Omit<RunPlan, 'out' | 'listener'>,
  details: boolean,
): Promise<void> {
  const [driver] = drivers;
  if (!driver?.beforehand) throw nothingToRehearse(plan.lab);
  const { preparation, rehearsed } = driver.beforehand;
  const statement = (ids: readonly string[]) => driver.beforehand?.statement(ids) ?? [];
  const experiments: DryRun['experiments'][number][] = [];
  const labs = await loadDrivers('auto', { remark });
  const out = mkdtempSync(join(tmpdir(), 'macvlab-rehearsal-'));
  try {
    remark('rehearsing in labs of this machine: this takes a minute or two for all experiments');
    const listener = { remark, begin() {}, testStarted() {}, testEnded() {}, end() {} };
    const performed: RunPlan['performed'] = (record, commands) => void experiments.push({ record, commands });
    const { run } = await perform(
      { ...plan, bail: false, keep: 'never', out, listener, performed },
      labs.map((lab) => rehearsalOf(lab, rehearsed)),
    );
    plan.signal.throwIfAborted();
    if (run.failure) {
      const { message, details, next = 'run `macvlab doctor`' } = run.failure;
      throw new MacvlabError('LAB_OPEN', `there could be no rehearsal: ${message}`, { evidence: details, next });
    }
    const ids = experiments.map(({ record }) => record.id);
    say(...dryRunLines({ statement: statement(ids), preparation, details, experiments }));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function nothingToRehearse(lab: string): MacvlabError {
  return new MacvlabError('USAGE', `--dry-run was given, and ${lab} labs are on machines of macvlab’s own`, {
    next: 'leave it out, or choose the lab on real hosts: --lab inventory',
  });
}
