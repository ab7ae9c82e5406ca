/** The check of the sandbox's prerequisites: it looks for programs, and tries kernel features. */
import { release } from 'node:os';
import { findProgram, installCommand, requiredTools } from '../../setup/tools.mjs';
import type { Prerequisite } from '../driver.js';
import { engineFinding } from '../../image/engine-tree.js';

/** Link kinds of the sandbox's network, with the kernel option that provides each. */
const linkKinds = [
  {
    kind: 'macvlan',
    option: 'CONFIG_MACVLAN',
    commands: 'link add p0 type veth peer name p1\nlink add m0 link p0 type macvlan',
  },
  { kind: 'bridge', option: 'CONFIG_BRIDGE', commands: 'link add b0 type bridge' },
  { kind: 'veth', option: 'CONFIG_VETH', commands: 'link add p0 type veth peer name p1' },
] as const;

/** Checks for root, the programs, and the kernel's namespaces and link kinds. It tries these in temporary namespaces. */
export async function checkSandbox(): Promise<Prerequisite[]> {
  const root = process.geteuid?.() === 0;
  const tools = requiredTools.map((tool): Prerequisite => {
    const path = findProgram(tool.name);
    return {
      what: tool.name,
      found: path !== undefined,
      detail: path ?? tool.purpose,
      next: installCommand([tool.name]) ?? `install ${tool.name}`,
    };
  });
  const findings: Prerequisite[] = [
    {
      what: 'root',
      found: root,
      detail: root ? 'yes' : `no: user ${process.geteuid?.()}`,
      next: 'run the same command with sudo',
    },
    ...tools,
  ];
  if (findings.some(({ found }) => !found)) return findings;
  return [...findings, ...(await Promise.all(linkKinds.map(tryLinkKind))), engineFinding()];
}

async function tryLinkKind({ kind, option, commands }: (typeof linkKinds)[number]): Promise<Prerequisite> {
  // Loaded here, since every run loads this driver, but only `macvlab doctor` tries the link kinds.
  const { $ } = await import('zx');
  const attempt = await $({ quiet: true, nothrow: true, input: commands })`unshare --net -- ip -batch -`;
  const works = attempt.exitCode === 0;
  return {
    what: `${kind} in the kernel`,
    found: works,
    detail: works ? `works (kernel ${release()})` : attempt.stderr.trim(),
    next: `load it (\`modprobe ${kind}\`) or use a kernel with ${option}; for other kernels use the vm lab`,
  };
}
