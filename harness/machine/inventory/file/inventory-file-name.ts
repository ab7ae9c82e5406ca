/** The default name of the inventory file, in a module of its own: the help text needs it without the reader. */
export const inventoryFileName = 'inventory.yaml';
