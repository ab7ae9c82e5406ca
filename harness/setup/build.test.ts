import { existsSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { build, buildIsFresh } from './build.mjs';
import { FakeMachine } from './fake-machine.test-support.js';
import { Progress } from './progress.mjs';
import { attempt } from './report.mjs';

/** A project with a compiler that copies each source, and counts how often it was called. */
function project(): FakeMachine {
  const fake = new FakeMachine();
  fake.write(
    'node_modules/typescript/bin/tsc',
    `const fs = require('node:fs');
     const [checks, emits] = ['--noCheck', '--noEmit'].map((option) => !process.argv.includes(option));
     if (emits) fs.appendFileSync('builds', 'x');
     for (const file of fs.readdirSync('harness', { recursive: true }).filter((name) => name.endsWith('.ts'))) {
       const text = fs.readFileSync('harness/' + file, 'utf8');
       if (checks && text === 'wrong') process.exit(2);
       if (emits) fs.cpSync('harness/' + file, 'dist/harness/' + file.replace(/ts$/, 'js'));
     }`,
  );
  fake.write('tsconfig.json', '{}');
  fake.write('package-lock.json', '{}');
  fake.write('harness/cli/main.ts', '#!/usr/bin/env node\n');
  fake.write('harness/core/a.ts', 'a');
  return fake;
}

/** A task that shows what a build does. */
const task = () => new Progress({ inPlace: false }).task('build');

async function refuses(fake: FakeMachine): Promise<void> {
  const [error] = await attempt(() => build(fake.root, task()));
  expect(error?.message).to.equal('the project does not compile');
}

const builds = ({ root }: FakeMachine) => readFileSync(path.join(root, 'builds'), 'utf8').length;

describe('the build', () => {
  it('is made once, and makes the command line executable where npx looks for it', async () => {
    using fake = project();
    expect(buildIsFresh(fake.root)).to.equal(false);
    await build(fake.root, task());
    await build(fake.root, task());
    expect(builds(fake)).to.equal(1);
    expect(statSync(path.join(fake.root, 'node_modules/.bin/macvlab')).mode & 0o111).to.equal(0o111);
  });

  it('is only linked again when node_modules was made anew', async () => {
    using fake = project();
    await build(fake.root, task());
    rmSync(path.join(fake.root, 'node_modules/.bin'), { recursive: true });
    expect(buildIsFresh(fake.root)).to.equal(false);
    await build(fake.root, task());
    expect(buildIsFresh(fake.root)).to.equal(true);
    expect(builds(fake)).to.equal(1);
  });

  const changes: Record<string, (fake: FakeMachine) => void> = {
    'a source is changed': (fake) => fake.write('harness/core/a.ts', 'b'),
    'a source becomes older': (fake) => utimesSync(path.join(fake.root, 'harness/core/a.ts'), 1, 1),
    'a source is added': (fake) => fake.write('suites/new.ts', ''),
    'tsconfig.json is changed': (fake) => fake.write('tsconfig.json', '{ }'),
    'the output is gone': (fake) => rmSync(path.join(fake.root, 'dist/harness/cli/main.js')),
  };
  for (const [title, change] of Object.entries(changes)) {
    it(`is made again when ${title}`, async () => {
      using fake = project();
      await build(fake.root, task());
      change(fake);
      expect(buildIsFresh(fake.root)).to.equal(false);
      await build(fake.root, task());
      expect(builds(fake)).to.equal(2);
      expect(buildIsFresh(fake.root)).to.equal(true);
    });
  }

  it('keeps nothing whose source is gone', async () => {
    using fake = project();
    await build(fake.root, task());
    fake.write('dist/harness/core/a.js.map', '');
    rmSync(path.join(fake.root, 'harness/core/a.ts'));
    await build(fake.root, task());
    expect(existsSync(path.join(fake.root, 'dist/harness/core/a.js'))).to.equal(false);
    expect(existsSync(path.join(fake.root, 'dist/harness/core/a.js.map'))).to.equal(false);
    expect(existsSync(path.join(fake.root, 'dist/harness/cli/main.js'))).to.equal(true);
  });

  it('can be used before types are checked, where there was none', async () => {
    using fake = project();
    fake.write('harness/core/a.ts', 'wrong');
    const emitted: boolean[] = [];
    const usable = () => emitted.push(existsSync(path.join(fake.root, 'node_modules/.bin/macvlab')));
    const [error] = await attempt(() => build(fake.root, task(), usable));
    expect(error?.message).to.equal('the project does not compile');
    expect(emitted).to.deep.equal([true]);
    expect(buildIsFresh(fake.root)).to.equal(false);
    await refuses(fake);
  });

  it('that fails is an error, and is tried again the next time', async () => {
    using fake = project();
    await build(fake.root, task());
    fake.write('harness/core/a.ts', 'wrong');
    await refuses(fake);
    fake.write('harness/core/a.ts', 'wrong');
    await refuses(fake);
    expect(buildIsFresh(fake.root)).to.equal(false);
  });
});
