/** All commands, and the errors for wrong command lines. */
import { Command, CommanderError } from 'commander';
import { exitCode, MacvlabError } from '../core/error.js';
import { addBisect } from './matrix/bisect.js';
import { addDoctor } from './doctor.js';
import { addExport } from './export/export.js';
import { addGc } from './gc.js';
import { addKernels } from './kernels/kernels.js';
import { addLab } from './lab/lab.js';
import { addList } from './run/list.js';
import { addMatrix } from './matrix/matrix.js';
import { addMerge } from './matrix/merge.js';
import { addReport } from './report/report.js';
import { addRun } from './run/run.js';
import { addValidateSwitch } from './switch-port/validate-switch.js';
import { version } from '../core/version.js';
import { withNewNames } from './renamed.js';

const examples = `
Examples:
  macvlab doctor                       missing prerequisites, and how to install them
  macvlab run                          all experiments; reports in ./reports
  macvlab run A1.3 hairpin             one experiment by its id, and all with "hairpin" in the title
  macvlab run --mode vepa --bail       one mode, up to the first test that does not pass
  macvlab lab up                       a lab for manual work: macvlab lab shell node1
  macvlab lab capture node1            its frames, live
  macvlab bisect --good 6.1 --bad 7.2 X3.1
                                       the first kernel with another result of an experiment
  macvlab export ktap                  the newest run as KTAP; also for NIPA, KernelCI, tmt, LAVA
  macvlab validate-switch --host root@10.0.0.11 --nic eth1 --addresses 10.0.0.0/24 --gateway 10.0.0.1
                                       whether a real switch port reflects
  macvlab kernels list                 kernels for guests

Exit codes: 0 tests passed, some may be skipped, 1 a test failed, 2 wrong usage, 3 the lab cannot be trusted or built, or no test ran,
130 interrupted`;

/**
 * Runs a command line.
 * @param words the arguments after `macvlab`
 * @returns the exit code
 * @throws MacvlabError USAGE for a wrong command line; the errors of the command
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  const program = new Command('macvlab')
    .description(
      'Tests on a real kernel which hosts and containers Linux macvlan lets reach each other, and where frames are dropped.',
    )
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', examples)
    // Errors are reported in one place, with a next step (main.ts).
    .configureOutput({ outputError: () => undefined });
  for (const add of [
    addRun,
    addMatrix,
    addMerge,
    addBisect,
    addExport,
    addReport,
    addList,
    addDoctor,
    addLab,
    addKernels,
    addValidateSwitch,
    addGc,
  ])
    add(program);
  for (const command of withSubcommands(program)) command.exitOverride((error) => refuse(command, error));
  try {
    await program.parseAsync(withNewNames(words), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCode.ok;
    throw error;
  }
  return Number(process.exitCode ?? exitCode.ok);
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Turns an error of commander into one of ours; help and version are not errors. */
function refuse(command: Command, error: CommanderError): never {
  if (error.exitCode === 0) throw error;
  const name = fullName(command);
  // If a command is missing, commander shows the help instead of an error.
  const message = error.code === 'commander.help' ? 'no command was given' : error.message.replace(/^error: /, '');
  const [what = '', ...hint] = message.split('\n');
  throw new MacvlabError('USAGE', `${name}: ${what}`, {
    evidence: hint.join('\n'),
    next: `run \`${name} --help\` to see what it takes`,
    cause: error,
  });
}

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}
