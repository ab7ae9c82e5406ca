/** `macvlab report`: writes the page of a run again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { MacvlabError, messageOf } from '../../core/error.js';
import { print } from '../output.js';

const examples = `
Each run writes report.html into its folder. This command writes it again, for example after an update of macvlab.

Examples:
  macvlab report                       the newest run
  macvlab report reports/20261121-081500-4f2a`;

/** Adds the command. */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('write the HTML page of a run')
    .argument('[run]', 'folder of a run that has ended', 'reports/latest')
    .addHelpText('after', examples)
    .action(async (folder: string) => {
      const [{ readEndedRun }, { pageFile, pageSize, runPage }] = await Promise.all([
        import('../export/ended-run.js'),
        import('../../report/run/page.js'),
      ]);
      const results = await readEndedRun(folder);
      const page = runPage(results);
      const path = join(results.folder, pageFile);
      try {
        writeFileSync(path, page);
      } catch (error) {
        throw new MacvlabError('OUT_NOT_WRITABLE', `${path} cannot be written: ${messageOf(error)}`, {
          next: 'copy the run’s folder to a place where you may write, and name that',
          cause: error,
        });
      }
      print(`${path} (${pageSize(page)})`);
    });
}
