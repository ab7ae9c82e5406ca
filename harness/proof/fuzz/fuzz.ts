/**
 * Searches for an input that a reader cannot handle. An input that reaches new code joins the corpus, from which
 * further inputs are made. This is libFuzzer's method in a few lines. Jazzer.js, which would provide it, does not load
 * on Debian 12 (4.0.0 requires glibc 2.38).
 */
import { bounded } from './bounded.js';
import { Coverage } from './coverage.js';
import { mutate } from './mutate.js';
import { randomFrom } from './random.js';
import type { Target } from './target.js';

export interface FuzzOptions {
  seed: number;
  /** Ends after this many inputs. */
  inputs?: number;
  /** Ends after this many milliseconds. */
  duration?: number;
  /** Whether coverage guides the inputs. Without it, all inputs are made from the seeds, many more in the same time. Default: yes. */
  guided?: boolean;
}

export interface FuzzResult {
  inputs: number;
  /** Size of the corpus: the seeds, and the inputs that reached something new. */
  corpus: number;
  /** Blocks of our code that were reached. */
  blocks: number;
  /** Milliseconds of processor time of the slowest input. */
  slowest: number;
  finding?: Finding;
}

/** An input that was read incorrectly. */
export interface Finding {
  input: Uint8Array;
  error: unknown;
}

/** Inputs between two coverage checks: a check takes longer than most inputs. */
const batchSize = 16;

/** Fuzzes one target until it finds a fault or reaches a limit of the options. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzResult> {
  const { seed, inputs = Infinity, duration = Infinity, guided = true } = options;
  const random = randomFrom(seed);
  const read = bounded(target);
  const corpus = [...target.seeds];
  const result: FuzzResult = { inputs: 0, corpus: 0, blocks: 0, slowest: 0 };
  const coverage = guided ? new Coverage() : undefined;
  const began = performance.now();
  let batch = corpus;
  try {
    while (result.inputs < inputs && performance.now() - began < duration) {
      for (const input of batch) {
        try {
          result.slowest = Math.max(result.slowest, await read(input));
        } catch (error) {
          return { ...result, finding: { input, error } };
        }
      }
      result.inputs += batch.length;
      if (coverage) {
        if (batch !== corpus) corpus.push(...(await explorers(batch, read, coverage)));
        result.blocks = coverage.blocks;
      }
      result.corpus = corpus.length;
      batch = Array.from({ length: batchSize }, () => mutate(target, corpus, random));
    }
    return result;
  } finally {
    coverage?.close();
  }
}

/** The inputs of a batch that reached something new. Each is read again, alone. */
async function explorers(
  batch: readonly Uint8Array[],
  read: (input: Uint8Array) => Promise<unknown>,
  coverage: Coverage,
): Promise<Uint8Array[]> {
  const news = coverage.news();
  if (news.length === 0) return [];
  coverage.forget(news);
  const found: Uint8Array[] = [];
  for (const input of batch) {
    await read(input);
    if (coverage.news().length > 0) found.push(input);
  }
  return found;
}
