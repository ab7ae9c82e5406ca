/** The classic pcap file format (draft-ietf-opsawg-pcap), which tcpdump writes: a header, then records. */

/** First four bytes, read in the writer's byte order. */
export const magic = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d } as const;
/** Bytes of the file's header. */
export const headerLength = 24;
/** Bytes of the header before each frame. */
export const recordHeaderLength = 16;
/** LINKTYPE_ETHERNET. */
export const ethernetLinkType = 1;
/** tcpdump's default and its maximum (MAXIMUM_SNAPLEN, libpcap's pcap-int.h). */
export const largestSnapLength = 262144;

/** The bytes are not a supported pcap, or are damaged; the message describes them. */
export class PcapError extends Error {
  override readonly name = 'PcapError';
}
