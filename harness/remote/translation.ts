/** Addresses that are written in one way here and in another on a machine: what goes to it is translated, and so is what comes back. */
export interface Translation {
  /** What is to be sent to the machine: words of a command, or its input. */
  sent(text: string): string;
  /** What the machine has said, or an address in a frame that was captured there. */
  received(text: string): string;
}
