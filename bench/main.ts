/** The command line of the measurements: `npm run bench`, or some of them: `npm run bench -- lab command`. */
import { ProcessOutput } from 'zx';
import { exitCode, formatError, MacvlabError } from '../harness/core/error.js';
import { machine } from './measure.js';
import { print } from './print.js';

interface Measurement {
  load: () => Promise<() => Promise<void>>;
  /** Whether it makes network namespaces. */
  needsRoot: boolean;
  /** Whether it is only taken when it is named: it takes minutes. */
  onlyByName?: boolean;
}

const measurements: Record<string, Measurement> = {
  articles: { load: async () => (await import('./articles.js')).benchArticles, needsRoot: true },
  lab: { load: async () => (await import('./lab.js')).benchLab, needsRoot: true },
  command: { load: async () => (await import('./command.js')).benchCommand, needsRoot: true },
  guest: { load: async () => (await import('./guest.js')).benchGuest, needsRoot: false },
  'guest-articles': {
    load: async () => (await import('./guest-articles.js')).benchGuestArticles,
    needsRoot: true,
    onlyByName: true,
  },
  matrix: { load: async () => (await import('./matrix.js')).benchMatrix, needsRoot: false, onlyByName: true },
  decode: { load: async () => (await import('./decode.js')).benchDecode, needsRoot: false },
};

process.exit(await measure(process.argv.slice(2)));

/** Takes the named measurements, or all; returns the exit code. */
async function measure(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(measurements, name));
  if (unknown.length > 0) {
    return complain(
      exitCode.usage,
      `no measurement ${unknown.join(', ')}; there are ${Object.keys(measurements).join(', ')}`,
    );
  }
  const chosen = Object.entries(measurements).filter(([name, { onlyByName }]) =>
    names.length === 0 ? !onlyByName : names.includes(name),
  );
  if (process.geteuid?.() !== 0 && chosen.some(([, { needsRoot }]) => needsRoot)) {
    return complain(exitCode.lab, 'measurements in a lab need root: run the same command with sudo, or only `decode`');
  }
  print(machine());
  for (const [name, { load }] of chosen) {
    try {
      await (
        await load()
      )();
    } catch (error) {
      return complain(
        error instanceof MacvlabError ? error.exit : 1,
        `${name} could not be measured: ${wordsOf(error)}`,
      );
    }
  }
  return 0;
}

function wordsOf(error: unknown): string {
  if (error instanceof ProcessOutput) return `${error.message}\n${error.stdout}${error.stderr}`;
  return error instanceof MacvlabError ? error.format() : formatError(error);
}

function complain(code: number, words: string): number {
  process.stderr.write(`${words}\n`);
  return code;
}
