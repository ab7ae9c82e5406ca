/** Reads an engine's output as JSON with an expected structure. */
import { z } from 'zod';
import { MacvlabError, messageOf } from '../core/error.js';

/** @throws MacvlabError ENGINE_REFUSED when the structure differs */
export function readAnswer<T>(text: string, schema: z.ZodType<T>): T {
  let why: string;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    why = z.prettifyError(parsed.error);
  } catch (error) {
    why = messageOf(error);
  }
  throw new MacvlabError('ENGINE_REFUSED', `a container engine’s answer could not be read: ${why}`, {
    evidence: text.slice(0, 4000),
    next: 'this engine may be newer than macvlab knows: report it, with the evidence',
  });
}
