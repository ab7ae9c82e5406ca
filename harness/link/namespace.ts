/** Named network namespaces, and links that move into them. */
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';

/** Creates a named namespace with its loopback up; the undo deletes it with its contents. */
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

/** The command that names the network namespace of a process. If the name is deleted, the namespace stays. */
export function nameNamespace(name: string, pid: number): string[] {
  return ['ip', 'netns', 'attach', name, String(pid)];
}

/**
 * Moves a link into another namespace, and renames it if a new name is given. `to` may be the session's own stack,
 * which may have no name. The shell that runs the command is in it, so that its process id names it.
 */
export function moveLink(from: NetworkStack, device: string, to: NetworkStack, newName?: string): Change {
  const words = ['ip', 'link', 'set', 'dev', device, ...(newName ? ['name', newName] : []), 'netns'];
  return {
    stack: from,
    what: `move ${device} to ${to.name}${newName ? ` as ${newName}` : ''}`,
    command: to.namespace ? [...words, to.namespace] : ['sh', '-c', 'exec "$@" "$PPID"', 'sh', ...words],
  };
}
