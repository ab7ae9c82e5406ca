/** The commands that there are, and what becomes of a command line that is none of them. */
import { Command, CommanderError } from 'commander';
import { exitCode, MacvlabError } from '../core/error.js';
import { addBisect } from './bisect.js';
import { addDoctor } from './doctor.js';
import { addGc } from './gc.js';
import { addKernels } from './kernels.js';
import { addLab } from './lab.js';
import { addList } from './list.js';
import { addMatrix } from './matrix.js';
import { addMerge } from './merge.js';
import { addRun } from './run.js';
import { addValidateSwitch } from './validate-switch.js';
import { version } from '../core/version.js';

const examples = `
Examples:
  macvlab doctor                       what this machine lacks for a lab, and how to get it
  macvlab run                          all experiments; reports in ./reports
  macvlab run A1.3 hairpin             one experiment by its id, and all with "hairpin" in their titles
  macvlab run --mode vepa --bail       those about one mode, up to the first that does not pass
  macvlab lab up                       a lab to play in: macvlab lab shell node1
  macvlab lab capture node1            its frames, as they come
  macvlab bisect --good 6.1 --bad 7.2 X3.1
                                       the kernel since which an experiment comes out otherwise
  macvlab validate-switch --host root@10.0.0.11 --nic eth1 --addresses 10.0.0.0/24 --gateway 10.0.0.1
                                       whether a real switch port reflects
  macvlab kernels list                 kernels that experiments can be performed on

Exit codes: 0 tests passed, others may be skipped, 1 a test failed, 2 wrong usage, 3 the lab cannot be trusted or built, or no test ran,
130 interrupted`;

/**
 * Performs a command line.
 * @param words the arguments after `macvlab`
 * @returns the exit code
 * @throws MacvlabError USAGE for a command line that is wrong; whatever the command throws
 */
export async function performCommandLine(words: readonly string[]): Promise<number> {
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
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCode.ok;
    throw error;
  }
  return Number(process.exitCode ?? exitCode.ok);
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Turns what commander has to say into an error of ours; help and version are no errors. */
function refuse(command: Command, error: CommanderError): never {
  if (error.exitCode === 0) throw error;
  const name = fullName(command);
  // commander shows the help instead of an error where a command is missing.
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
