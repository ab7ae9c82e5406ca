/** YAML that a person has written, however wrong. */
import { type Document, LineCounter, parseDocument } from 'yaml';

/** What nests deeper has nothing to do with us, and could use up the stack. */
const deepest = 64;

/**
 * Reads YAML; what it says is asked of the document, where aliases may still have no end.
 * @param lines told where lines begin
 * @throws Error with the first mistake and its place. All of them with their places would take the square of the time.
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

/** Whether brackets outside of quotes, or the marks of lists and mappings before one another, are deeper than anybody writes them. */
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
