import { expect } from 'chai';
import type { Lab } from '../../lab/lab.js';
import { declaredBy, experimentsIn, isExperiment, type SuiteDeclaration } from './declare.js';
import { experiment, setUp, suite } from '../experiment.js';
import { mochaOf } from '../mocha-tree.js';
import type { LabSlot } from '../lab-slot.js';
import { contextIn } from '../test-context.js';

/** Stands in for a lab and its slot, which these tests do not use. */
const nowhere: unknown = {};

const nothing = () => Promise.resolve();

async function declared(define: () => void): Promise<SuiteDeclaration[]> {
  return declaredBy('suites/t.ts', () => {
    define();
    return Promise.resolve();
  });
}

describe('suites as data', () => {
  const twoLevels = () =>
    declared(() =>
      suite('outer', { modes: ['bridge'], needs: ['ipv6'] }, () => {
        suite('inner', { modes: ['vepa'], needs: ['vlan'] }, () => {
          setUp(nothing);
          experiment('T2', 'two', { key: 't-two', aliases: ['second'], modes: ['private'], needs: ['cni'] }, nothing);
        });
        experiment('T1', 'one', { key: 't-one' }, nothing);
      }),
    );

  it('a suite within a suite: its experiments have the modes and needs of both, and the outermost title', async () => {
    const [build] = await twoLevels();
    const all = experimentsIn(build!()).map(({ body: _, ...about }) => about);
    const common = { suite: 'outer', file: 'suites/t.ts' };
    expect(all).to.deep.equal([
      {
        ...{ key: 't-two', aliases: ['second'], id: 'T2', title: 'two' },
        ...{ modes: ['bridge', 'vepa', 'private'], needs: ['ipv6', 'vlan', 'cni'], ...common },
      },
      { key: 't-one', id: 'T1', title: 'one', modes: ['bridge'], needs: ['ipv6'], ...common },
    ]);
  });

  it('a suite is built twice: the variables of its definition are not shared', async () => {
    const seen: number[] = [];
    const [build] = await declared(() =>
      suite('S', {}, () => {
        let own = 0;
        experiment('T1', 'counts', { key: 't-one' }, () => Promise.resolve(void seen.push(++own)));
      }),
    );
    const context = contextIn(nowhere as Lab);
    for (const spec of [build!(), build!()])
      for (const part of spec.parts) if (isExperiment(part)) await part.body(context);
    expect(seen).to.deep.equal([1, 1]);
  });

  it('an experiment, a set-up or a suite outside: an error', async () => {
    expect(() => setUp(nothing)).to.throw(/belong into a suite/);
    expect(() => experiment('T1', 'one', { key: 't-one' }, nothing)).to.throw(/belong into a suite/);
    expect(() => suite('S', {}, () => undefined)).to.throw(/loaded by `macvlab run`/);
    const [broken] = await declared(() =>
      suite('S', {}, () => {
        throw new Error('in its definition');
      }),
    );
    expect(() => broken!()).to.throw('in its definition');
    // The next call is outside the suite.
    expect(() => setUp(nothing)).to.throw(/belong into a suite/);
  });

  it('a Mocha for a choice: only the chosen experiments, and no suite without one', async () => {
    const suites = await twoLevels();
    const all = suites.flatMap((build) => experimentsIn(build()));
    const titles = (chosen: typeof all): string[] => {
      const found: string[] = [];
      mochaOf({ file: 'suites/t.ts', suites, experiments: chosen }, nowhere as LabSlot).suite.eachTest((test) => {
        found.push(test.fullTitle());
      });
      return found;
    };
    expect(titles(all)).to.deep.equal(['outer T1 one', 'outer inner T2 two']);
    expect(titles(all.filter(({ id }) => id === 'T1'))).to.deep.equal(['outer T1 one']);
    expect(titles([])).to.deep.equal([]);
    const [outer] = mochaOf({ file: '', suites, experiments: all.filter(({ id }) => id === 'T1') }, nowhere as LabSlot)
      .suite.suites;
    expect(outer?.suites).to.deep.equal([]);
  });
});
