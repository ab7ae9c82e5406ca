/** Reads YAML of users, with any errors. */
import { type Document, LineCounter, parseDocument } from 'yaml';

/** Deeper nesting is never valid here, and could exhaust the stack. */
const deepest = 64;

/**
 * Reads YAML. The result is a document, in which aliases may still be endless.
 * @param lines receives where lines begin
 * @throws Error with the first mistake and its place. All of them with their places would take quadratic time.
 */
export function readYaml(text: string, lines = new LineCounter()): Document {
  if (isTooDeep(text)) throw new Error(`it is nested more than ${deepest} deep`);
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines, logLevel: 'error' });
  const [mistake] = document.errors;
  if (!mistake) return document;
  const { line, col } = lines.linePos(mistake.pos[0]);
  const place = text.split('\n', line).at(-1)?.slice(0, 80) ?? '';
  throw new Error(`${mistake.message} at line ${line}, column ${col}:\n\n${place}\n`);
}

/** Whether brackets outside of quotes, or consecutive marks of lists and mappings, are nested deeper than in any real file. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let marks = 0;
  for (const [token] of text.matchAll(
    /"(?:[^"\\]|\\.){0,2000}"|'[^']{0,2000}'|[[{]|[\]}]|[-?:](?=\s)|[^\s[\]{}?:-]|\n/g,
  )) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth = Math.max(0, depth - 1);
    marks = token === '-' || token === '?' || token === ':' ? marks + 1 : 0;
    if (depth > deepest || marks > deepest) return true;
  }
  return false;
}
