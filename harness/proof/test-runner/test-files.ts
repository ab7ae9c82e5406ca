/** Lists the compiled test files of the project. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * All test files below a folder, sorted, relative to it: "harness/core/wait.alone.test.js".
 * @param root the folder dist/
 * @param patterns if given, only files whose path contains one of these
 */
export function testFiles(root: string, patterns: readonly string[] = []): string[] {
  return ['harness', 'bench']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    )
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
}
