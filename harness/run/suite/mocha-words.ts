/** Collects a suite file's declarations through mocha's own `describe`, `it` and hooks, instead of `suite` and `experiment`. */
import Mocha from 'mocha';

/**
 * Runs work with mocha's functions as globals, then restores the previous globals.
 * @param path of the file that is being loaded
 * @returns mocha's outermost suite with all declarations through these functions
 */
export async function mochaWordsIn(path: string, work: () => Promise<void>): Promise<Mocha.Suite> {
  const mocha = new Mocha({ ui: 'bdd' });
  const words = {} as Mocha.MochaGlobals;
  // As Mocha.loadFilesAsync does before it loads a file.
  mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, words, path, mocha);
  const before = new Map(Object.keys(words).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  Object.assign(globalThis, words);
  try {
    await work();
    return mocha.suite;
  } finally {
    for (const [name, descriptor] of before) {
      Reflect.deleteProperty(globalThis, name);
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    }
  }
}
