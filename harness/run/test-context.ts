/** The argument of an experiment's body and of `setUp`: the lab, its nodes, and functions to record values. */
import type { Lab } from '../lab/lab.js';
import type { Node } from '../lab/node.js';
import type { Switch } from '../lab/switch/switch.js';
import type { Notes, Observe } from './suite-state.js';

/** The context of an experiment. */
export interface TestContext {
  lab: Lab;
  node1: Node;
  node2: Node;
  /** Access to `router` or `client` throws MissingPrerequisite if the lab has none. */
  router: Node;
  client: Node;
  switch: Switch;
  /** Records a value that the kernel showed, for comparisons between kernels. */
  observe: Observe;
  /** Records a value that is not compared: it varies from run to run, or only explains the result. */
  measure: Observe;
}

const outsideExperiment = () => {
  throw new TypeError('values are observed in an experiment, not in a set-up');
};

/** The context in a lab. The router and the client are read on access, because not every lab has them. */
export function contextIn(
  lab: Lab,
  { observe, measure }: Notes = { observe: outsideExperiment, measure: outsideExperiment },
): TestContext {
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
