/** Named network namespaces, and moving links into them. */
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';

/** Creates a named namespace with its loopback up; the undo deletes it with all that is in it. */
export function addNamespace(node: NetworkStack, namespace: NetworkStack): Change[] {
  const name = namespace.namespace ?? '';
  return [
    {
      stack: node,
      what: `add namespace ${name}`,
      command: ['ip', 'netns', 'add', name],
      undo: () => ['ip', 'netns', 'delete', name],
    },
    { stack: namespace, what: 'lo up', command: ['ip', 'link', 'set', 'dev', 'lo', 'up'] },
  ];
}

/** The command that names the network namespace of a process; what deletes the name leaves the namespace. */
export function nameNamespace(name: string, pid: number): string[] {
  return ['ip', 'netns', 'attach', name, String(pid)];
}

/**
 * Moves a link into another namespace, and renames it on the way when a new name is given. Where `to` is the session's own
 * stack, which may have no name, the shell that performs the command is in it, and names it by its process id.
 */
export function moveLink(from: NetworkStack, device: string, to: NetworkStack, newName?: string): Change {
  const words = ['ip', 'link', 'set', 'dev', device, ...(newName ? ['name', newName] : []), 'netns'];
  return {
    stack: from,
    what: `move ${device} to ${to.name}${newName ? ` as ${newName}` : ''}`,
    command: to.namespace ? [...words, to.namespace] : ['sh', '-c', 'exec "$@" "$PPID"', 'sh', ...words],
  };
}
