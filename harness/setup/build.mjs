/** Compiles the project to dist/ when a source has changed since the last build that succeeded. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { thisMachine } from './machine.mjs';
import { SetupError } from './report.mjs';

/** Folders that tsconfig.json includes. */
const sourceFolders = ['harness', 'suites', 'bench'];

/** Files besides the sources that affect the compiler's output. */
const otherInputs = ['tsconfig.json', 'package-lock.json'];

const sourceEnding = /\.(?:[mc]?[jt]s|json)$/;

/** The program that `npx macvlab` runs. */
const commandLine = 'dist/harness/cli/main.js';

/** The path where npx finds it: npm links the commands of dependencies, but not those of the project itself. */
const commandLink = 'node_modules/.bin/macvlab';

/** The inputs of the last successful build. */
const stampFile = 'dist/.inputs';

/** The machine, with the folder of the running Node before any other. */
const ownNode = { ...thisMachine(), folders: [path.dirname(process.execPath), ...thisMachine().folders] };

/**
 * Whether dist/ is up to date.
 * @param {string} root the project's folder
 */
export function buildIsFresh(root) {
  return isBuiltFrom(root, describeInputs(root)) && commandIsReady(root);
}

/**
 * Builds, if necessary. If nothing has been built yet, the first build of dist/ omits type checks, which takes a third
 * of the time. The type checks follow.
 * @param {string} root
 * @param {import('./progress.mjs').Task} task
 * @param {() => void} [onEmitted] called when dist/ can be used
 * @throws {SetupError} for compiler errors; the compiler's output has been shown, and no stamp is left
 */
export async function build(root, task, onEmitted = () => undefined) {
  const inputs = describeInputs(root);
  if (!isBuiltFrom(root, inputs)) await compile(root, inputs, task, onEmitted);
  if (!commandIsReady(root)) makeCommandReady(root);
}

/**
 * @param {string} root
 * @param {string} inputs
 */
function isBuiltFrom(root, inputs) {
  return existsSync(path.join(root, commandLine)) && readText(path.join(root, stampFile)) === inputs;
}

/**
 * @param {string} root
 * @param {string} inputs
 * @param {import('./progress.mjs').Task} task
 * @param {() => void} onEmitted
 */
async function compile(root, inputs, task, onEmitted) {
  task.says('compiles to dist/ with tsc');
  rmSync(path.join(root, stampFile), { force: true });
  if (existsSync(path.join(root, commandLine))) {
    await runCompiler(root, task);
  } else {
    // an incremental compiler does not check whether its output still exists
    rmSync(path.join(root, 'dist'), { recursive: true, force: true });
    await runCompiler(root, task, '--noCheck');
    makeCommandReady(root);
    onEmitted();
    task.says('checks types');
    await runCompiler(root, task, '--noEmit');
  }
  removeOrphans(root);
  writeFileSync(path.join(root, stampFile), inputs);
  task.ends();
}

/**
 * @param {string} root
 * @param {import('./progress.mjs').Task} task
 * @param {string[]} options
 */
async function runCompiler(root, task, ...options) {
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const onLine = (/** @type {string} */ line) => task.prints(line);
  const command = [path.basename(process.execPath), compiler, '-p', '.', ...options];
  const failure = await runCommand(command, ownNode, { cwd: root, onLine });
  if (failure === undefined) return;
  task.fails(failure);
  throw new SetupError(
    'the project does not compile',
    "mend what tsc says above (`git status` shows what differs from the project's own)",
  );
}

/**
 * Every input with its size and modification time, one per line: a removed file and an older time count as changes.
 * @param {string} root
 */
function describeInputs(root) {
  const sources = sourceFolders.flatMap((folder) => listFiles(root, folder)).filter((file) => sourceEnding.test(file));
  return [...otherInputs, ...sources.sort()]
    .map((file) => {
      const stat = statSync(path.join(root, file), { throwIfNoEntry: false });
      return `${file} ${stat?.size} ${stat?.mtimeMs}\n`;
    })
    .join('');
}

/**
 * All files under a folder, relative to root; none if the folder does not exist.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function listFiles(root, folder) {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? listFiles(root, file) : [file];
  });
}

/**
 * Removes compiled files without a source: a deleted test must not continue to pass. Others stay in place, since
 * another run may be reading them.
 * @param {string} root
 */
function removeOrphans(root) {
  const dist = path.join(root, 'dist');
  for (const file of sourceFolders.flatMap((folder) => listFiles(dist, folder))) {
    const compiled = file.replace(/\.map$/, '');
    const sources = [compiled, compiled.replace(/js$/, 'ts')];
    if (!sources.some((source) => existsSync(path.join(root, source)))) rmSync(path.join(dist, file));
  }
}

/** @param {string} root */
function commandIsReady(root) {
  const link = lstatSync(path.join(root, commandLink), { throwIfNoEntry: false });
  const command = statSync(path.join(root, commandLine), { throwIfNoEntry: false });
  return link?.isSymbolicLink() === true && command !== undefined && (command.mode & 0o111) !== 0;
}

/** @param {string} root */
function makeCommandReady(root) {
  if (!existsSync(path.join(root, commandLine))) return;
  chmodSync(path.join(root, commandLine), 0o755);
  const link = path.join(root, commandLink);
  mkdirSync(path.dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(path.relative(path.dirname(link), path.join(root, commandLine)), link);
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
