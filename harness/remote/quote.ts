/** The one place where an argument list becomes a shell line. */

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One argument as a POSIX shell word; anything but plain characters stands in single quotes (POSIX 2.2.2). */
export function quoteArgument(argument: string): string {
  if (argument.includes('\0')) throw new TypeError('an argument cannot contain a NUL byte');
  return plain.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** An argument list as a shell line that starts exactly that program with exactly those arguments. */
export function quoteCommand(argv: readonly string[]): string {
  if (argv.length === 0 || argv[0] === '') throw new TypeError('a command needs a program');
  // A first word with "=" would be an assignment to the shell, unless it is quoted.
  const [program = '', ...rest] = argv;
  const first = program.includes('=') ? `'${program.replaceAll("'", `'\\''`)}'` : quoteArgument(program);
  return [first, ...rest.map(quoteArgument)].join(' ');
}
