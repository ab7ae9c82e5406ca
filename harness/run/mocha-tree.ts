/** Builds mocha suites: for each suite file of a run, a new Mocha whose hooks and tests use one lab. */
import Mocha from 'mocha';
import type { SuiteFile } from './suite/catalogue.js';
import { type ExperimentSpec, experimentsIn, isExperiment, type SuiteSpec } from './suite/declare.js';
import { runExperiment } from './run-experiment.js';
import { keyOf } from './record.js';
import type { LabSlot } from './lab-slot.js';
import type { SuiteState } from './suite-state.js';
import { contextIn } from './test-context.js';

/** A Mocha that runs the chosen experiments of a file on a slot. Suites without a chosen experiment are left out. */
export function mochaOf({ suites, experiments }: SuiteFile, slot: LabSlot): Mocha {
  const mocha = new Mocha({ timeout: 0, reporter: SilentReporter });
  const chosen = new Set(experiments.map(keyOf));
  for (const build of suites) addSuite(mocha.suite, build(), undefined, { slot, chosen });
  return mocha;
}

interface Running {
  slot: LabSlot;
  /** Keys of the chosen experiments, by {@link keyOf}. */
  chosen: ReadonlySet<string>;
}

function addSuite(around: Mocha.Suite, spec: SuiteSpec, parent: SuiteState | undefined, running: Running): void {
  const { slot, chosen } = running;
  if (!experimentsIn(spec).some((experiment) => chosen.has(keyOf(experiment)))) return;
  const { title, outermost, modes, needs, addresses } = spec;
  const state: SuiteState = { title: outermost, parent, modes, needs };
  const suite = Mocha.Suite.create(around, title);
  suite.beforeAll(() => slot.enterSuite(state, title, addresses));
  for (const work of spec.setUps) suite.beforeAll(() => slot.attempt(state, () => work(contextIn(slot.lab))));
  suite.afterAll(() => slot.leaveSuite(state));
  for (const part of spec.parts) {
    if (!isExperiment(part)) addSuite(suite, part, state, running);
    else if (chosen.has(keyOf(part))) suite.addTest(testOf(part, state, slot));
  }
}

function testOf(experiment: ExperimentSpec, state: SuiteState, slot: LabSlot): Mocha.Test {
  return new Mocha.Test(`${experiment.id} ${experiment.title}`, async function run(this: Mocha.Context) {
    const body: Parameters<typeof runExperiment>[3] = (notes) => experiment.body(contextIn(slot.lab, notes));
    const record = await runExperiment(slot, experiment, state, body);
    if (record.verdict === 'skipped') this.skip();
    if (record.verdict !== 'passed') throw new Error(record.reason ?? record.verdict);
  });
}

/** mocha's own reporting is not used, because every report is generated from the records. */
class SilentReporter extends Mocha.reporters.Base {}
