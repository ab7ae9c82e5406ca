/** Where it is written down how changes are undone, before they are made: the undo is performed also after a crash. */

export interface UndoJournal {
  /**
   * Notes the commands that undo what is about to be done, to be performed in this order.
   * @returns what is called when they have been performed, or need not be
   */
  note(undo: readonly (readonly string[])[]): () => void;
}
