import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { probedFeatures } from '../../lab/feature/feature-list.js';
import { knownDifferencesSchema } from './known-differences-file.js';
import { knownDifferences } from './known-differences.js';
import type { ExperimentKey } from '../record.js';
import { Subjects } from './subjects.js';

const suites = new URL('../../../suites/', import.meta.url);

/** Keys, ids and titles of all experiments. Loading suites replaces mocha's globals, so a separate process does it. */
function allExperiments(): ExperimentKey[] {
  const program = `import { loadCatalogue } from '${new URL('../../run/suite/catalogue.js', import.meta.url).href}';
    console.log(JSON.stringify((await loadCatalogue()).map(({ test: _, ...experiment }) => experiment)));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }),
  ) as ExperimentKey[];
}

describe('the known differences that are built in', () => {
  it('are valid', () => {
    const parsed = knownDifferencesSchema.safeParse(knownDifferences);
    expect(parsed.error?.issues ?? []).to.deep.equal([]);
    expect(parsed.data).to.deep.equal(knownDifferences);
  });

  it('are about experiments that there are, and values that they observe', () => {
    const experiments = allExperiments();
    expect(experiments.length).to.be.greaterThan(100);
    const sources = readdirSync(suites)
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(new URL(name, suites), 'utf8'))
      .join('\n');
    const about = knownDifferences.filter((known) => known.about.feature === undefined);
    expect(about).not.to.deep.equal([]);
    for (const known of about) {
      const { observed } = known.about;
      const subjects = new Subjects([known]);
      const found = experiments.filter((experiment) => {
        const subject = observed === undefined ? subjects.verdict(experiment) : subjects.value(experiment, observed);
        return subject.known.length > 0;
      });
      expect(found, known.name).not.to.deep.equal([]);
      if (observed !== undefined) expect(sources, known.name).to.include(observed);
    }
  }).timeout(60_000);

  it('are about features that are probed', () => {
    const probed = probedFeatures.map(({ name }) => name);
    const features = knownDifferences.flatMap(({ about }) => about.feature ?? []);
    expect(features).not.to.deep.equal([]);
    expect(probed).to.include.members(features);
  });

  it('name a commit with its title and the release that it came with', () => {
    for (const { name, source } of knownDifferences) {
      expect(source, name).to.match(/^[0-9a-f]{12} ".+" \(\d+\.\d+\)$/);
    }
  });
});
