import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type StateRecipe, stateName } from './saved-states.js';

describe('the name of a saved state', () => {
  let folder: string;
  let recipe: StateRecipe;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-state-test-'));
    const file = (name: string) => {
      writeFileSync(join(folder, name), name);
      return join(folder, name);
    };
    recipe = {
      guest: {
        ...{ name: 'guest', accelerator: 'tcg', processors: 1, memory: 512, ports: ['machine', 'node1'] },
        ...{ kernel: file('kernel'), initramfs: file('initramfs'), root: file('root'), cards: 0 },
      },
      script: ['set -e'],
    };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const name = ({ guest = {}, ...more }: { guest?: Partial<StateRecipe['guest']>; script?: string[] } = {}) =>
    stateName({ ...recipe, ...more, guest: { ...recipe.guest, ...guest } }, 'QEMU 7.2.22');

  it('is the same for the same guest, with any name and any sockets', () => {
    expect(name()).to.match(/^guest-states\/[0-9a-f]{16}$/);
    expect(name({ guest: { name: 'another' } })).to.equal(name());
    const slots = (path: string) => name({ guest: { slots: new Map([['machine.1', path]]) } });
    expect(slots('/run/a/machine.1')).to.equal(slots('/run/b/machine.1')).and.to.not.equal(name());
  });

  it('changes with the memory, the ports, the NICs, the processors, the script, and the kernel’s arguments', () => {
    const names = [
      name(),
      name({ guest: { memory: 256 } }),
      name({ guest: { ports: ['machine'] } }),
      name({ guest: { cards: 1 } }),
      name({ guest: { processors: 2 } }),
      name({ guest: { kernelArguments: ['quiet'] } }),
      name({ script: ['set -e', 'modprobe veth'] }),
    ];
    expect(new Set(names)).to.have.lengthOf(names.length);
  });

  it('changes with the version of QEMU', () => {
    expect(stateName(recipe, 'QEMU 10.0.2')).to.not.equal(name());
  });

  for (const image of ['kernel', 'initramfs', 'root'] as const) {
    it(`changes when its ${image} is replaced, at the same path and of the same size`, () => {
      const before = name();
      utimesSync(recipe.guest[image], 1, 1);
      expect(name()).to.not.equal(before);
    });
  }
});
