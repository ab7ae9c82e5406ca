/** The record of the box and its boot files in the cache. vagrant/settings.rb reads it for the Vagrantfile. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { asCacheError, cacheFolder } from '../../core/cache.js';

const schema = z.object({
  /** The box's name, and its file. */
  box: z.string(),
  file: z.string(),
  kernel: z.string(),
  initrd: z.string(),
  arguments: z.string(),
  /** The output of `uname -r` on the machines. */
  release: z.string(),
});

export type Prepared = z.infer<typeof schema>;

/** The record's file for a kernel as the user named it, or for the default kernel. */
function fileOf(kernel: string | undefined): string {
  const name = kernel === undefined ? 'default' : createHash('sha256').update(kernel).digest('hex').slice(0, 12);
  return join(cacheFolder(), 'vagrant/prepared', `${name}.json`);
}

/** The prepared files for a kernel, if all of them still exist. */
export function findPrepared(kernel: string | undefined): Prepared | undefined {
  try {
    const prepared = schema.parse(JSON.parse(readFileSync(fileOf(kernel), 'utf8')));
    const files = [prepared.file, prepared.kernel, prepared.initrd];
    return files.every((file) => existsSync(file)) ? prepared : undefined;
  } catch {
    return undefined;
  }
}

/** @throws MacvlabError CACHE_NOT_WRITABLE */
export function writePrepared(kernel: string | undefined, prepared: Prepared): void {
  const file = fileOf(kernel);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(prepared, null, 2)}\n`);
    renameSync(`${file}.${process.pid}`, file);
  } catch (error) {
    throw asCacheError(error, file);
  }
}
