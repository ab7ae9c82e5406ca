/**
 * The command line of the benchmarks: `npm run bench`; some of them: `npm run bench -- lab command`; with the figures in a file:
 * `npm run bench -- --json FILE`; two such files side by side: `npm run bench -- compare A B`.
 */
import { parseArgs } from 'node:util';
import { ProcessOutput } from 'zx';
import { exitCode, formatError, MacvlabError } from '../harness/core/error.js';
import { findProgram, guestTools, installCommand, requiredTools } from '../harness/setup/tools.mjs';
import { type Figure, printFigure } from './figure.js';
import { machine } from './measure.js';
import { print } from './print.js';
import { printComparison, readResults, refuseUnwritableFile, writeResults } from './results.js';

interface Benchmark {
  load: () => Promise<() => Promise<Figure[]>>;
  /** Programs that it needs. */
  needs: readonly string[];
  /** Whether it creates network namespaces. */
  needsRoot: boolean;
  /** Whether it only runs when it is named: it takes minutes. */
  onlyByName?: boolean;
}

const labNeeds = requiredTools.map(({ name }) => name);
const guestNeeds = guestTools.map(({ name }) => name);

const benchmarks: Record<string, Benchmark> = {
  articles: {
    load: async () => {
      const { benchArticles } = await import('./articles.js');
      return () => benchArticles('short');
    },
    needs: labNeeds,
    needsRoot: true,
  },
  lab: { load: async () => (await import('./lab.js')).benchLab, needs: labNeeds, needsRoot: true },
  command: { load: async () => (await import('./command.js')).benchCommand, needs: labNeeds, needsRoot: true },
  decode: { load: async () => (await import('./decode.js')).benchDecode, needs: ['tshark'], needsRoot: false },
  processes: {
    load: async () => (await import('./processes.js')).benchProcesses,
    needs: labNeeds,
    needsRoot: true,
  },
  'articles-whole': {
    load: async () => {
      const { benchArticles } = await import('./articles.js');
      return () => benchArticles('whole');
    },
    needs: labNeeds,
    needsRoot: true,
    onlyByName: true,
  },
  children: {
    load: async () => (await import('./children.js')).benchChildren,
    needs: labNeeds,
    needsRoot: true,
    onlyByName: true,
  },
  guest: {
    load: async () => (await import('./guest.js')).benchGuest,
    needs: guestNeeds,
    needsRoot: false,
    onlyByName: true,
  },
  'guest-articles': {
    load: async () => (await import('./guest-articles.js')).benchGuestArticles,
    needs: [...labNeeds, ...guestNeeds],
    needsRoot: true,
    onlyByName: true,
  },
  matrix: {
    load: async () => (await import('./matrix.js')).benchMatrix,
    needs: guestNeeds,
    needsRoot: false,
    onlyByName: true,
  },
};

process.exit(
  await main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${formatError(error)}\n`);
    return error instanceof MacvlabError ? error.exit : exitCode.lab;
  }),
);

async function main(args: string[]): Promise<number> {
  const { names, json } = parsed(args);
  if (names[0] === 'compare') {
    const [, before, after, ...more] = names;
    if (before === undefined || after === undefined || more.length > 0) throw usage('compare takes two files');
    printComparison(readResults(before), readResults(after));
    return exitCode.ok;
  }
  return run(names, json);
}

/** Runs the named benchmarks, or the short ones; returns the exit code. */
async function run(names: readonly string[], json: string | undefined): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));
  if (unknown.length > 0) throw usage(`there is no benchmark ${unknown.join(', ')}`);
  const chosen = Object.entries(benchmarks).filter(([name, { onlyByName }]) =>
    names.length === 0 ? !onlyByName : names.includes(name),
  );
  if (json !== undefined) refuseUnwritableFile(json);
  const possible = chosen.filter(([name, benchmark]) => {
    const why = whyNot(benchmark);
    if (why !== undefined) print(`${name}: left out: ${why}`);
    return why === undefined;
  });
  if (possible.length === 0) {
    throw new MacvlabError('TOOL_MISSING', 'none of these benchmarks can run here', {
      next: 'do what the lines above name',
    });
  }
  print(machine());
  const figures: Figure[] = [];
  for (const [name, { load }] of possible) {
    try {
      const measured = await (await load())();
      for (const figure of measured) printFigure(figure);
      figures.push(...measured);
    } catch (error) {
      print(`${name}: could not be measured: ${textOf(error)}`);
      return error instanceof MacvlabError ? error.exit : exitCode.failed;
    }
  }
  if (json !== undefined) writeResults(json, { machine: machine(), figures });
  return exitCode.ok;
}

/** Why a benchmark cannot run on this machine; undefined when it can. */
function whyNot({ needs, needsRoot }: Benchmark): string | undefined {
  if (needsRoot && process.geteuid?.() !== 0) return 'needs root: run the same command with sudo';
  const missing = needs.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(', ')}: ${installCommand(missing) ?? 'install these with the package manager'}`;
}

function parsed(args: string[]): { names: string[]; json: string | undefined } {
  try {
    const { values, positionals } = parseArgs({ args, options: { json: { type: 'string' } }, allowPositionals: true });
    return { names: positionals, json: values.json };
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function usage(message: string): MacvlabError {
  return new MacvlabError('USAGE', message, {
    next: `npm run bench -- [${Object.keys(benchmarks).join('|')}]... [--json FILE], or: npm run bench -- compare BEFORE AFTER`,
  });
}

function textOf(error: unknown): string {
  if (error instanceof ProcessOutput) return `${error.message}\n${error.stdout}${error.stderr}`;
  return formatError(error);
}
