/** Names that have changed. The old ones work for one version, with a notice. */
import { notice } from './output.js';

/** Old and new names of options of the command line. */
const options: Readonly<Record<string, string>> = { '--allow-cut': '--allow-disconnect' };

/** Old and new names of variables of the environment. */
const variables: Readonly<Record<string, string>> = { MACVLAB_PATIENCE: 'MACVLAB_TIMEOUT_FACTOR' };

/**
 * Puts new names in place of old ones, and prints a notice for each.
 * @param environment in which variables are renamed, so that child processes print no further notice
 * @returns the words with the options' new names
 */
export function withNewNames(words: readonly string[], environment: NodeJS.ProcessEnv = process.env): string[] {
  for (const [old, name] of Object.entries(variables)) {
    if (environment[old] === undefined) continue;
    environment[name] ??= environment[old];
    Reflect.deleteProperty(environment, old);
    noticeOf(old, name);
  }
  const end = words.indexOf('--');
  return words.map((word, index) => {
    const name = Object.hasOwn(options, word) && (end < 0 || index < end) ? options[word] : undefined;
    if (name !== undefined) noticeOf(word, name);
    return name ?? word;
  });
}

function noticeOf(old: string, name: string): void {
  notice(`notice: ${old} is now ${name}; the old name works in this version only`);
}
