/** Records the undo of changes before they are made, so that it also runs after a crash. */

export interface UndoJournal {
  /**
   * Records the commands that undo the next changes, to be run in this order.
   * @returns a function to be called when they have run, or are not needed
   */
  note(undo: readonly (readonly string[])[]): () => void;
}
