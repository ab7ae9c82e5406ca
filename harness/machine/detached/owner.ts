/** The owner of a resource that may outlive its process, identified across boots and PID namespaces. */
import { readFileSync, readlinkSync } from 'node:fs';
import { z } from 'zod';
import { identify, isRunning } from '../../core/process-identity.js';

export const ownerSchema = z.object({
  owner: z.object({ pid: z.number(), startTime: z.number() }),
  /** The kernel's boot and the PID namespace in which the process id is valid. */
  boot: z.string(),
  namespace: z.string(),
});

export type Owner = z.infer<typeof ownerSchema>;

/** The boot and the PID namespace of this process. */
function here(): Pick<Owner, 'boot' | 'namespace'> {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { boot, namespace: readlinkSync('/proc/self/ns/pid') };
}

/** This process as an owner. */
export function thisOwner(): Owner {
  return { owner: identify(process.pid) ?? { pid: process.pid, startTime: 0 }, ...here() };
}

/** Whether the owner may still run. For a process in another PID namespace (a container) this cannot be checked: true. */
export function mayBeAlive({ owner, boot, namespace }: Owner): boolean {
  const now = here();
  if (boot !== now.boot) return false;
  return namespace !== now.namespace || isRunning(owner);
}
