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

/** Moves a link into another namespace, and renames it on the way when a new name is given. */
export function moveLink(from: NetworkStack, device: string, to: NetworkStack, newName?: string): Change {
  return {
    stack: from,
    what: `move ${device} to ${to.name}${newName ? ` as ${newName}` : ''}`,
    command: ['ip', 'link', 'set', 'dev', device, 'netns', to.namespace ?? '1', ...(newName ? ['name', newName] : [])],
  };
}
