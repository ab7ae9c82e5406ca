/** Output in the character set of the user's locale. */

/** The characters beyond ASCII in our output, with their ASCII replacements. */
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
 * Whether this user's terminal shows UTF-8 (locale(7): the first variable that is set counts). If none is set, as in
 * containers and services, most programs that read our output accept UTF-8.
 */
export function isUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv = process.env): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG;
  return !locale || /utf-?8/i.test(locale);
}

/** Converts text to ASCII. A character without a counterpart becomes a question mark. */
function inAscii(text: string): string {
  return text.replace(/\P{ASCII}/gu, (character) => {
    const plain = character.normalize('NFKD').replace(/\P{ASCII}/gu, '');
    return ascii.get(character) ?? (plain || (/\p{M}/u.test(character) ? '' : '?'));
  });
}

/** Makes a stream write ASCII if the locale has no UTF-8. Bytes pass unchanged: they are not our text. */
export function inLocale(stream: NodeJS.WriteStream): void {
  if (isUtf8()) return;
  const write = stream.write.bind(stream) as (...chunk: unknown[]) => boolean;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) =>
    write(typeof chunk === 'string' ? inAscii(chunk) : chunk, ...rest);
}
