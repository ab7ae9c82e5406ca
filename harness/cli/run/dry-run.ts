/** `macvlab run --dry-run`: shows what a run would do on real hosts, from a dry run in labs of this machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MacvlabError } from '../../core/error.js';
import type { LabDriver } from '../../machine/driver.js';
import { loadDrivers } from '../../machine/drivers.js';
import { dryRunOf } from '../../machine/dry-run.js';
import { dryRunLines, type DryRun } from '../../report/run/dry-run.js';
import type { RunPlan } from '../../run/plan.js';
import { runSuites } from '../../run/run-suites.js';
import { notice, print } from '../output.js';

/**
 * Makes a dry run, and prints what the run would do. It does not connect to a host.
 * @param drivers those of the run itself
 * @param details whether to show scripts in full, and how hosts are reached
 * @throws MacvlabError USAGE if the drivers create their own machines; errors of opening labs of this machine
 */
export async function printDryRun(
  drivers: readonly LabDriver[],
  plan: Omit<RunPlan, 'out' | 'listener'>,
  details: boolean,
): Promise<void> {
  const [driver] = drivers;
  if (!driver?.preflight) throw nothingForDryRun(plan.lab);
  const { preparation, dryRun } = driver.preflight;
  const statement = (ids: readonly string[]) => driver.preflight?.statement(ids) ?? [];
  const experiments: DryRun['experiments'][number][] = [];
  const labs = await loadDrivers('auto', { remark: notice });
  const out = mkdtempSync(join(tmpdir(), 'macvlab-dry-run-'));
  try {
    notice('rehearsing in labs of this machine: this takes a minute or two for all experiments');
    const listener = { remark: notice, begin() {}, testStarted() {}, testEnded() {}, end() {} };
    const performed: RunPlan['experimentEnded'] = (record, commands) => void experiments.push({ record, commands });
    const { run } = await runSuites(
      { ...plan, bail: false, keep: 'never', out, listener, experimentEnded: performed },
      labs.map((lab) => dryRunOf(lab, dryRun)),
    );
    plan.signal.throwIfAborted();
    if (run.failure) {
      const { message, details, next = 'run `macvlab doctor`' } = run.failure;
      throw new MacvlabError('LAB_OPEN', `there could be no dry run: ${message}`, { evidence: details, next });
    }
    const ids = experiments.map(({ record }) => record.id);
    print(...dryRunLines({ statement: statement(ids), preparation, details, experiments }));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function nothingForDryRun(lab: string): MacvlabError {
  return new MacvlabError('USAGE', `--dry-run was given, and ${lab} labs are on machines of macvlab’s own`, {
    next: 'leave it out, or choose the lab on real hosts: --lab inventory',
  });
}
