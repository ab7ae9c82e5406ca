/**
 * The words that suites are written in. `suite` and `experiment` are mocha's `describe` and `it`, bound to the lab: a suite
 * has an article's addresses, an experiment an id and a record.
 */
import type { Feature } from '../lab/features.js';
import type { AddressPlan, Lab } from '../lab/lab.js';
import type { Node } from '../lab/node.js';
import type { Switch } from '../lab/switch.js';
import type { MacvlanMode } from '../link/macvlan.js';
import { declare } from './registry.js';
import { type Notes, type Observe, stage, type SuiteState } from './stage.js';

/** What an experiment is given. */
export interface Bench {
  lab: Lab;
  node1: Node;
  node2: Node;
  /** @throws Lacking where there is none, as its client */
  router: Node;
  client: Node;
  switch: Switch;
  /** Records a value that the kernel showed, for comparisons between kernels. */
  observe: Observe;
  /** Records a value that nobody compares: one that varies from run to run, or explains. */
  measure: Observe;
}

export interface SuiteOptions {
  /** Addresses and routes of the nodes while the suite is performed. */
  addresses?: AddressPlan;
  /** Modes that all its experiments are about. */
  modes?: readonly MacvlanMode[];
  needs?: readonly Feature[];
}

export type ExperimentOptions = Pick<SuiteOptions, 'modes' | 'needs'>;

let enclosing: SuiteState | undefined;

/** A group of experiments that share addresses and what `setUp` makes; what they make is undone at its end. */
export function suite(title: string, options: SuiteOptions, define: () => void): void {
  const { addresses = {}, modes = [], needs = [] } = options;
  const parent = enclosing;
  const state: SuiteState = {
    title: parent?.title ?? title,
    parent,
    modes: [...(parent?.modes ?? []), ...modes],
    needs: [...(parent?.needs ?? []), ...needs],
  };
  describe(title, () => {
    enclosing = state;
    before(() => stage().enterSuite(state, title, addresses));
    after(() => stage().leaveSuite(state));
    define();
    enclosing = parent;
  });
}

/**
 * Makes what all experiments of the enclosing suite use. When it fails, each of them is an error; where the lab lacks what it needs, each
 * is skipped.
 */
export function setUp(work: (bench: Bench) => Promise<void>): void {
  const state = inSuite();
  before(() => stage().attempt(state, () => work(benchOf(stage().lab))));
}

/** One experiment of the articles' table. Its id stands at the beginning of its title. */
export function experiment(
  id: string,
  title: string,
  options: ExperimentOptions,
  body: (bench: Bench) => Promise<void>,
): void {
  const state = inSuite();
  const test = it(`${id} ${title}`, async function perform() {
    const record = await stage().perform(declared, state, (notes) => body(benchOf(stage().lab, notes)));
    if (record.verdict === 'skipped') this.skip();
    if (record.verdict !== 'passed') throw new Error(record.reason ?? record.verdict);
  });
  const declared = declare({
    id,
    title,
    suite: state.title,
    modes: [...state.modes, ...(options.modes ?? [])],
    needs: [...state.needs, ...(options.needs ?? [])],
    test,
  });
}

function inSuite(): SuiteState {
  if (!enclosing) throw new Error('setUp() and experiment() belong into a suite()');
  return enclosing;
}

const nowhere = () => {
  throw new TypeError('values are observed in an experiment, not in a set-up');
};

/** A router and a client are looked for when they are asked for: not every lab has them. */
function benchOf(lab: Lab, { observe, measure }: Notes = { observe: nowhere, measure: nowhere }): Bench {
  return {
    ...{ lab, node1: lab.node1, node2: lab.node2, switch: lab.switch, observe, measure },
    get router() {
      return lab.router;
    },
    get client() {
      return lab.client;
    },
  };
}
