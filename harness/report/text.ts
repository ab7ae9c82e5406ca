/** Text from outside macvlab (a kernel's message, a program's output), made safe to show: without control characters. */

// Escape sequences of a terminal: ECMA-48 section 5.4 (CSI), and OSC up to its terminator.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const escapeSequence = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

// Characters that XML 1.0 (fifth edition, production 2 "Char") does not allow; DEL and C1, which it allows but
// terminals obey; and characters that change the direction of writing (Unicode annex 9, property Bidi_Control), which
// would hide what a line contains.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const unfit = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Bidi_Control}\ufffe\uffff]|[\ud800-\udfff]/gu;

/**
 * The text without colours and other escape sequences. A visible character replaces each other character that XML 1.0
 * forbids or a terminal would obey: ␀ to ␟ and ␡ for control characters, � for all others.
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

// "Select graphic rendition" (ECMA-48 section 8.3.117): a colour, the only control in our own lines.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const colour = /(\u001b\[[\d;]*m)/;

/** The text as {@link visible} returns it, but with its colours. */
export function visibleInColour(text: string): string {
  return text
    .split(colour)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');
}

/** The text as one visible line: every run of white space becomes one space. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, ' ').trim();
}

/** A duration in words: "34 ms", "1.2 s", "2 min 5 s". */
export function duration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
