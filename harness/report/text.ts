/** Text of others (a kernel's message, a program's output) made fit to be shown: no control of ours is left in it. */

// Escape sequences of a terminal: ECMA-48 section 5.4 (CSI), and OSC up to its terminator.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const escapeSequence = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

// What XML 1.0 (fifth edition, production 2 "Char") does not allow; DEL and C1, which it allows but terminals obey; and what
// turns the direction of writing (Unicode annex 9, all that has the property Bidi_Control), so that a line would not read as it is.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const unfit = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Bidi_Control}\ufffe\uffff]|[\ud800-\udfff]/gu;

/**
 * The text without colours and other escape sequences, with every remaining character that XML 1.0 forbids or that a
 * terminal would obey replaced by a visible one: ␀ to ␟ and ␡ for control characters, � for all others.
 */
export function visible(text: string): string {
  return text
    .replace(escapeSequence, '')
    .replace(/\r\n/g, '\n')
    .replace(unfit, (character) => {
      const code = character.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? '\u2421' : '\ufffd';
    });
}

// "Select graphic rendition" (ECMA-48 section 8.3.117): a colour, which is all that a line of ours asks of a terminal.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const colour = /(\u001b\[[\d;]*m)/;

/** The text as {@link visible} has it, with the colours that are in it. */
export function visibleInColour(text: string): string {
  return text
    .split(colour)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');
}

/** The text as one visible line: every stretch of white space is one space. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, ' ').trim();
}

/**
 * The text cut to a width in terminal columns, ending in … when something was cut. Every character beyond ASCII counts
 * as two columns, since some are: the result may be shorter than it could be, but never wider.
 */
export function cut(text: string, width: number): string {
  let used = 0;
  let fitting = '';
  for (const character of text) {
    used += columnsOf(character);
    // Room for … is kept, unless this is the last character and fits.
    if (used <= width - 1) fitting += character;
  }
  return used <= width ? text : `${fitting}…`;
}

/** How many columns of a terminal the text takes at most; see {@link cut}. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += character < '\u0080' ? 1 : 2;
  return columns;
}

/** The text, without control characters and with single spaces, as lines that fit a width; longer words are broken. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text)
    .split(' ')
    .flatMap((whole) => broken(whole, width))) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function broken(word: string, width: number): string[] {
  const parts: string[] = [];
  let part = '';
  for (const character of word) {
    if (part !== '' && columnsOf(part + character) > width) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}

/** A duration as a person reads it: "34 ms", "1.2 s", "2 min 5 s". */
export function duration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
