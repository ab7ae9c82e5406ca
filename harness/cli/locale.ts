/** Output in the character set of the user's locale. */

/** What we write beyond ASCII, as ASCII has it. */
const ascii = new Map(
  Object.entries({ '-': '─━═–—·', '|': '│┃║', '+': '┌┐└┘├┤┬┴┼', "'": '‘’', '"': '“”', x: '×' })
    .flatMap(([plain, fancy]) => Array.from(fancy, (character) => [character, plain] as const))
    .concat([
      ['…', '...'],
      ['→', '->'],
      ['±', '+-'],
    ]),
);

/**
 * Whether a terminal of this user shows UTF-8 (locale(7): the first that is set counts). Where none is set, as in containers and services, most
 * that reads our output does.
 */
export function isUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv = process.env): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG;
  return !locale || /utf-?8/i.test(locale);
}

/** The text in ASCII: what has no like there is a question mark. */
function inAscii(text: string): string {
  return text.replace(/\P{ASCII}/gu, (character) => {
    const plain = character.normalize('NFKD').replace(/\P{ASCII}/gu, '');
    return ascii.get(character) ?? (plain || (/\p{M}/u.test(character) ? '' : '?'));
  });
}

/** Lets a stream write ASCII where the locale has no UTF-8. Bytes pass as they are: they are not ours. */
export function inLocale(stream: NodeJS.WriteStream): void {
  if (isUtf8()) return;
  const write = stream.write.bind(stream) as (...chunk: unknown[]) => boolean;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) =>
    write(typeof chunk === 'string' ? inAscii(chunk) : chunk, ...rest);
}
