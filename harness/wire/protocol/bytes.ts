/** Numbers in network byte order. A byte beyond the end reads as 0: callers check lengths, and nothing throws. */

/** Two bytes, 0 to 65535. */
export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Four bytes, never negative. */
export function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 0x10000 + uint16(bytes, at + 2);
}
