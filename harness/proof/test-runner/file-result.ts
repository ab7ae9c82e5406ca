/** The result of one test file. */

/** A test or hook that failed. */
export interface TestFailure {
  /** The title, after the titles of the enclosing groups. */
  title: string;
  /** The error's message, without its stack. */
  message: string;
}

/** The result of a test file, as a worker sends it to its parent. */
export interface FileResult {
  passed: number;
  /** Titles of the tests that were skipped. */
  skipped: string[];
  failures: TestFailure[];
}
