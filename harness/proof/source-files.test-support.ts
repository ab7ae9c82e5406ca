/** Finds the files of this project, for tests about its structure. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The text of a file. @param file relative to the project's folder */
export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Files below a folder, as paths relative to the project's folder. */
export function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
    .toSorted();
}

/** The project's source files without tests and their helpers. */
export function sourceFiles(): string[] {
  return ['suites', 'harness', 'bench']
    .flatMap((folder) => filesBelow(folder, /\.(?:ts|mjs)$/))
    .filter((file) => !/\.test(?:-support)?\./.test(file));
}

/** Groups files by a part of their path. */
export function groupFiles(
  files: readonly string[],
  partOf: (file: string) => string = dirname,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const file of files) groups.set(partOf(file), [...(groups.get(partOf(file)) ?? []), file]);
  return groups;
}
