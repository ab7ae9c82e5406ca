/** The only conversion of an argument list into a shell line. */

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Words with a meaning to a shell in place of a program (POSIX 2.4, and those of bash). */
const reserved = new Set(
  'case coproc do done elif else esac fi for function if in select then time until while'.split(' '),
);

/** One argument as a POSIX shell word, in single quotes if it has other than plain characters (POSIX 2.2.2). */
export function quoteArgument(argument: string): string {
  if (argument.includes('\0')) throw new TypeError('an argument cannot contain a NUL byte');
  return plain.test(argument) ? argument : inQuotes(argument);
}

/** An argument list as a shell line that starts exactly that program with exactly those arguments. */
export function quoteCommand(argv: readonly string[]): string {
  if (argv.length === 0 || argv[0] === '') throw new TypeError('a command needs a program');
  // Unquoted first words of this kind have another meaning to the shell: an assignment, a loop.
  const [program = '', ...rest] = argv;
  const quoted = quoteArgument(program);
  const first = quoted === program && (program.includes('=') || reserved.has(program)) ? inQuotes(program) : quoted;
  return [first, ...rest.map(quoteArgument)].join(' ');
}

function inQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
