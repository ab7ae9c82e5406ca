/** `macvlab list`: lists the experiments. */
import { Option, type Command } from 'commander';
import { type MacvlanMode, macvlanModes } from '../../link/macvlan.js';
import { colours, print, printJson } from '../output.js';
import { columns } from '../../report/width.js';

const examples = `
Examples:
  macvlab list A1                      the experiments of an article
  macvlab list --mode passthru
  macvlab list hairpin --json | jq -r '.[].key'`;

/** Adds the command. */
export function addList(program: Command): void {
  program
    .command('list')
    .description('list the experiments')
    .argument(
      '[filters...]',
      'keys, ids (A1.3, or A1 for all of an article) or parts of titles; without any, all experiments',
    )
    .addOption(new Option('--mode <mode>', 'only experiments about this macvlan mode').choices(macvlanModes))
    .option('--json', 'as JSON')
    .addHelpText('after', examples)
    .action(async (filters: string[], { mode, json }: { mode?: MacvlanMode; json?: true }) => {
      const { loadCatalogue, select } = await import('../../run/suite/catalogue.js');
      const experiments = select(await loadCatalogue(), { filters, mode });
      if (json) {
        printJson(
          experiments.map(({ key, aliases, id, title, suite, file, modes, needs }) => ({
            ...{ key, ...(aliases && { aliases }) },
            ...{ id, title, suite, file, modes, needs },
          })),
        );
        return;
      }
      const { bold, dim } = colours();
      for (const [title, ofSuite] of groupBy(experiments, ({ suite }) => suite)) {
        print(bold(title) + dim(`  ${ofSuite[0]?.file}`));
        const rows = ofSuite.map((experiment) => [
          `  ${experiment.id}`,
          experiment.key,
          experiment.title,
          about(experiment),
        ]);
        print(...columns(rows));
      }
    });
}

function about({ modes, needs }: { modes: readonly string[]; needs: readonly string[] }): string {
  return [
    ...(modes.length > 0 ? [`modes: ${[...new Set(modes)].join(', ')}`] : []),
    ...(needs.length > 0 ? [`needs: ${[...new Set(needs)].join(', ')}`] : []),
  ].join('; ');
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
