/** The options that a kernel's config must have for a guest to boot, for its cables, and for all experiments. */
import { MacvlabError } from '../core/error.js';
import { treeOf } from './own/build-tree.js';
import { type ConfigNeed, configNeeds } from './config-needs.js';
import type { Kernel } from './kernel.js';

/** One guest that holds the whole lab, or three with cables between them. */
export type GuestShape = 'one guest' | 'three guests';

/** A need that a config does not meet. */
export interface MissingOption extends ConfigNeed {
  /** Whether it is a module that cannot be loaded: it is needed earlier, or no modules were given. */
  asModule: boolean;
}

export interface ConfigCheck {
  /** Default: one guest. */
  shape?: GuestShape | undefined;
  /** Whether the kernel's modules are available; default true. */
  modules?: boolean;
}

/**
 * The needs that a config does not meet, also those for experiments, without which a guest still boots.
 * @param config lines `CONFIG_X=y`, as in a .config
 */
export function missingOptions(config: string, { shape, modules = true }: ConfigCheck = {}): MissingOption[] {
  const set = new Map(
    [...config.matchAll(/^CONFIG_(\w+)=([ym])\r?$/gm)].map(([, option = '', value]) => [option, value]),
  );
  return configNeeds
    .filter((need) => need.for !== 'three guests' || shape === 'three guests')
    .flatMap((need) => {
      const value = set.get(need.option) ?? (need.newer && set.get(need.newer));
      const met = value === 'y' || (value === 'm' && modules && need.as !== 'y');
      return met
        ? []
        : [{ ...need, under: need.under?.filter((menu) => !set.has(menu)) ?? [], asModule: value === 'm' }];
    });
}

/**
 * Refuses a kernel that cannot boot as a guest. One with an unknown config is tried.
 * @throws MacvlabError KERNEL_UNSUITABLE with each missing option, its purpose, and the commands that set them
 */
export function refuseUnsuitable(kernel: Kernel, shape: GuestShape): void {
  if (kernel.config === undefined) return;
  const modules = kernel.modules !== undefined;
  const missing = missingOptions(kernel.config, { shape, modules }).filter((need) => need.for !== 'experiments');
  if (missing.length === 0) return;
  const options = missing.length === 1 ? 'an option' : `${missing.length} options`;
  const noModules = missing.every(({ as, asModule }) => asModule && as !== 'y');
  throw new MacvlabError(
    'KERNEL_UNSUITABLE',
    noModules
      ? `${kernel.name} (${kernel.release}) has as modules what a guest needs to come up, and no modules were given`
      : `${kernel.name} (${kernel.release}) lacks ${options} that a guest needs to come up`,
    {
      evidence: missing.map((need) => lineOf(need, !noModules)).join('\n'),
      next: noModules ? giveModules(kernel) : rebuild(missing),
    },
  );
}

function giveModules({ image, release }: Kernel): string {
  const tree = treeOf(image);
  const folder = `the folder that has lib/modules/${release}: --modules <folder>`;
  return tree === undefined
    ? `give ${folder}; or the image’s build tree: --kernel <tree>`
    : `give its build tree: --kernel ${tree}; or ${folder}`;
}

function lineOf({ option, why, as, asModule }: MissingOption, mixed: boolean): string {
  const setting = `CONFIG_${option}${asModule ? '=m' : ''}`.padEnd(28);
  if (!asModule) return `${setting}  ${why}`;
  if (as === 'y') return `${setting}  ${why} (must be =y: it is needed before a module can be loaded)`;
  return `${setting}  ${why}${mixed ? ' (no modules were given)' : ''}`;
}

/** Each option with its menus, because olddefconfig drops an option without its menu. */
function rebuild(missing: readonly MissingOption[]): string {
  const options = new Set(
    missing.flatMap(({ option, newer, under = [] }) => [...under, option, ...(newer ? [newer] : [])]),
  );
  const enable = [...options].map((option) => `-e ${option}`).join(' ');
  return `in the kernel’s tree: scripts/config ${enable} && make olddefconfig && make -j$(nproc) bzImage modules`;
}
