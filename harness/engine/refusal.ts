/** The error of a container engine that refused a request. */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';

export class EngineRefusal extends MacvlabError {
  /** The engine's own message, without its fixed prefix. */
  readonly words: string;

  /** @param what "node1: docker network create" */
  constructor(what: string, argv: readonly string[], said: string) {
    const words = wordsOf(said);
    super('ENGINE_REFUSED', `${what}: ${words.split('\n').join('; ')}`, {
      evidence: `$ ${argv.join(' ')}\n${said}`,
      next: 'look at the command and at the engine’s words in the evidence',
    });
    this.words = words;
  }
}

/** CNI's plugins print JSON, with a code and a message (CNI specification 1.0.0, "Error"). */
const protocolError = z.looseObject({ code: z.number(), msg: z.string(), details: z.string().optional() });

function messageIn(said: string): string | undefined {
  if (!said.startsWith('{')) return undefined;
  try {
    const { msg, details } = protocolError.parse(JSON.parse(said));
    return details ? `${msg}: ${details}` : msg;
  } catch {
    return undefined;
  }
}

/** docker begins with "Error response from daemon:", podman and its helpers with "Error:". */
function wordsOf(said: string): string {
  const message = messageIn(said);
  if (message !== undefined) return message;
  const lines = said.split('\n').filter((line) => !/^WARNING: |^(?:See|Run) 'docker .*--help'/.test(line));
  const words = lines.map((line) => line.replace(/^(?:docker: )?(?:Error response from daemon: |Error: )/, ''));
  return words.join('\n').trim() || 'it said nothing';
}
