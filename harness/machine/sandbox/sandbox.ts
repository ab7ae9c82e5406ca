/** The sandbox lab driver: every node is a network namespace on the running kernel, inside one private set of namespaces. */
import { z } from 'zod';
import type { Session } from '../../remote/session.js';
import { newKeyPair } from '../../remote/keys.js';
import { MacvlabError } from '../../core/error.js';
import { findEngineTree } from '../../image/engine-tree.js';
import { type Host, type LabDriver, type Machines, noClocks, noKernelLog } from '../driver.js';
import type { Attached } from '../driver-module.js';
import type { NodeName, Topology } from '../topology.js';
import { installCommand, missingTools } from '../../setup/tools.mjs';
import { checkSandbox } from './check.js';
import { connectSandbox, sandboxSshd } from './connect.js';
import { type Init, sandboxEngines, startInit, stopInit } from './init.js';
import { type LabKeys, labKeys } from '../../remote/sshd.js';
import { detachInit } from './detach.js';

export const sandboxDriver: LabDriver = {
  name: 'sandbox',
  check: checkSandbox,
  async open(topology: Topology, wire: (hosts: readonly Host[]) => Promise<void>): Promise<Machines> {
    refuseWithoutRoot();
    refuseWithoutTools();
    const keys: LabKeys = { host: newKeyPair(), user: newKeyPair() };
    const engines = findEngineTree();
    const init = await startInit(keys, topology.nodes, engines);
    try {
      const { nodes } = topology;
      const sessions = await connectAll(init.pid, keys, nodes, (session) => wire([{ session, nodes, cards: [] }]));
      return {
        ...sessions,
        ...noClocks,
        kernelLog: noKernelLog,
        ssh: sshOf(keys),
        engines: { tree: engines && sandboxEngines },
        close: () => closeSandbox(init, sessions),
        detachable: {
          state: { init: init.pid, keys } satisfies SandboxState,
          detach: () => detachInit(init),
        },
      };
    } catch (error) {
      await stopInit(init);
      throw error;
    }
  },
};

/** The data that another process needs to reach a detached sandbox. */
export const sandboxState = z.object({ init: z.number(), keys: labKeys });
export type SandboxState = z.infer<typeof sandboxState>;

/** Opens sessions with a detached sandbox. @throws MacvlabError REMOTE_CONNECT when it is gone */
export async function attachSandbox(state: SandboxState, nodes: readonly NodeName[]): Promise<Attached> {
  return { ...(await connectAll(state.init, state.keys, nodes)), ssh: sshOf(state.keys) };
}

function sshOf(keys: LabKeys): Machines['ssh'] {
  return { server: sandboxSshd(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public };
}

function refuseWithoutRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new MacvlabError('NOT_ROOT', 'the sandbox lab makes network namespaces, which needs root', {
    evidence: `this process runs as user ${process.geteuid?.()}`,
    next: 'run the same command with sudo',
  });
}

function refuseWithoutTools(): void {
  const missing = missingTools();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  throw new MacvlabError(
    'TOOL_MISSING',
    `the sandbox lab needs ${names.join(', ')}, which this machine does not have`,
    {
      evidence: missing.map(({ name, purpose }) => `${name}: ${purpose}`).join('\n'),
      next: installCommand(names) ?? 'install them, then run `macvlab doctor`',
    },
  );
}

async function connectAll(
  init: number,
  keys: LabKeys,
  nodes: readonly NodeName[],
  prepare: (machine: Session) => Promise<void> = () => Promise.resolve(),
): Promise<Pick<Machines, 'machine' | 'nodes'>> {
  const whole = async () => {
    const machine = await connectSandbox(init, keys, 'the sandbox');
    await prepare(machine);
    return machine;
  };
  const connect = async (node: NodeName) => [node, await connectSandbox(init, keys, node, node)] as const;
  const [machine, ...sessions] = await Promise.all([whole(), ...nodes.map(connect)]);
  return { machine, nodes: Object.fromEntries(sessions) as Record<NodeName, Session> };
}

async function closeSandbox(init: Init, sessions: Pick<Machines, 'machine' | 'nodes'>): Promise<void> {
  for (const session of [sessions.machine, ...Object.values(sessions.nodes)]) session.close();
  await stopInit(init);
}
