import { expect } from 'chai';
import { FakeMachine } from './fake-machine.test-support.js';
import { installNodeModules, nodeModulesInStep } from './node-modules.mjs';
import { Progress } from './progress.mjs';
import { attempt } from './report.mjs';

/** A task that shows what an installation does. */
const task = () => new Progress({ inPlace: false }).task('npm');

const lock = (packages: Record<string, object>) =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': { name: 'x' }, ...packages } });

const a1 = { 'node_modules/a': { version: '1.0.0' } };

describe('node_modules', () => {
  const cases: [string, Record<string, object>, Record<string, object> | undefined, boolean][] = [
    ['are in step with the same versions', a1, a1, true],
    ['are not with another version', { 'node_modules/a': { version: '1.0.1' } }, a1, false],
    ['are not when a package is missing', { ...a1, 'node_modules/b': { version: '1.0.0' } }, a1, false],
    ['may lack an optional package', { ...a1, 'node_modules/b': { version: '1.0.0', optional: true } }, a1, true],
    [
      'may not have another version of an optional package',
      { ...a1, 'node_modules/b': { version: '2.0.0', optional: true } },
      { ...a1, 'node_modules/b': { version: '1.0.0', optional: true } },
      false,
    ],
    ['are not when they are not there', a1, undefined, false],
  ];
  for (const [title, wanted, installed, inStep] of cases) {
    it(title, () => {
      using fake = new FakeMachine();
      fake.write('package-lock.json', lock(wanted));
      if (installed) fake.write('node_modules/.package-lock.json', lock(installed));
      expect(nodeModulesInStep(fake.root)).to.equal(inStep);
    });
  }

  it('are installed with their development packages, since the compiler is one', async () => {
    using fake = new FakeMachine();
    fake.write('package-lock.json', lock(a1));
    fake.script('npm', 'mkdir node_modules && cp package-lock.json node_modules/.package-lock.json');
    for (let time = 0; time < 2; time++) await installNodeModules(fake.root, fake.machine, task());
    expect(fake.calls).to.deep.equal(['npm ci --include=dev --ignore-scripts --no-audit --no-fund']);
    expect(nodeModulesInStep(fake.root)).to.equal(true);
  });

  it('that cannot be installed are an error with the next step', async () => {
    using fake = new FakeMachine();
    fake.write('package-lock.json', lock(a1));
    fake.script('npm', 'exit 1');
    const [error] = await attempt(() => installNodeModules(fake.root, fake.machine, task()));
    expect(error?.message).to.equal('npm ci failed: exit status 1');
  });
});
