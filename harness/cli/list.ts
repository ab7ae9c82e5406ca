/** `macvlab list`: the experiments that there are. */
import { Option, type Command } from 'commander';
import { type MacvlanMode, macvlanModes } from '../link/macvlan.js';
import { colours, columns, say, sayJson } from './output.js';

const examples = `
Examples:
  macvlab list A1                      those of an article
  macvlab list --mode passthru
  macvlab list hairpin --json | jq -r '.[].id'`;

/** Adds the command. */
export function addList(program: Command): void {
  program
    .command('list')
    .description('show the experiments that there are')
    .argument(
      '[filters...]',
      'ids (A1.3, or A1 for all of an article) or parts of titles; without any, all experiments',
    )
    .addOption(new Option('--mode <mode>', 'only experiments about this macvlan mode').choices(macvlanModes))
    .option('--json', 'as JSON')
    .addHelpText('after', examples)
    .action(async (filters: string[], { mode, json }: { mode?: MacvlanMode; json?: true }) => {
      const { loadCatalogue, select } = await import('../run/catalogue.js');
      const experiments = select(await loadCatalogue(), { filters, mode });
      if (json) {
        sayJson(
          experiments.map(({ id, title, suite, file, modes, needs }) => ({ id, title, suite, file, modes, needs })),
        );
        return;
      }
      const { bold, dim } = colours();
      for (const [title, ofSuite] of groupBy(experiments, ({ suite }) => suite)) {
        say(bold(title) + dim(`  ${ofSuite[0]?.file}`));
        const rows = ofSuite.map((experiment) => [`  ${experiment.id}`, experiment.title, about(experiment)]);
        say(...columns(rows));
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
