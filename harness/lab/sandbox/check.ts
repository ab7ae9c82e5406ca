/** What the sandbox needs on this machine, found by looking and by trying. */
import { release } from 'node:os';
import { findProgram, installCommand, requiredTools } from '../../setup/tools.mjs';
import type { Finding } from '../driver.js';
import { engineFinding } from '../engine-tree.js';

/** Link kinds that the sandbox's network is made of, with the kernel option that brings each. */
const linkKinds = [
  {
    kind: 'macvlan',
    option: 'CONFIG_MACVLAN',
    commands: 'link add p0 type veth peer name p1\nlink add m0 link p0 type macvlan',
  },
  { kind: 'bridge', option: 'CONFIG_BRIDGE', commands: 'link add b0 type bridge' },
  { kind: 'veth', option: 'CONFIG_VETH', commands: 'link add p0 type veth peer name p1' },
] as const;

/** Looks for root, the programs, and the kernel's namespaces and link kinds; these are tried in namespaces that vanish again. */
export async function checkSandbox(): Promise<Finding[]> {
  const root = process.geteuid?.() === 0;
  const tools = requiredTools.map((tool): Finding => {
    const path = findProgram(tool.name);
    return {
      what: tool.name,
      found: path !== undefined,
      detail: path ?? tool.purpose,
      next: installCommand([tool.name]) ?? `install ${tool.name}`,
    };
  });
  const findings: Finding[] = [
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

async function tryLinkKind({ kind, option, commands }: (typeof linkKinds)[number]): Promise<Finding> {
  // Loaded here, since every run loads this driver and only `macvlab doctor` tries.
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
