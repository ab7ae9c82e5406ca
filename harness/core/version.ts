/** The version of macvlab. */
import { readFileSync } from 'node:fs';

/** The version in package.json, which is three folders above the compiled file. */
export function version(): string {
  const manifest = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
