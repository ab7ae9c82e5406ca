/** What came of the tests of one file. */

/** A test or hook that failed. */
export interface TestFailure {
  /** With the titles of the groups around it. */
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
