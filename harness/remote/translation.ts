/** Translates between the addresses of the suites and those on a machine, in both directions. */
export interface Translation {
  /** Text to send to the machine: words of a command, or its input. */
  sent(text: string): string;
  /** Output of the machine, or an address in a frame that was captured there. */
  received(text: string): string;
}
