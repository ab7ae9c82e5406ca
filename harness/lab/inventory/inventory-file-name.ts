/** The inventory that is read where no other is named; apart from what reads it, which help does not need. */
export const inventoryFileName = 'inventory.yaml';
