/** The command that shows the way of a frame in a test's pcapng. */
import { quoteCommand } from '../../remote/quote.js';
import type { Evidence } from '../../run/record.js';

/** One line per capture point that saw the frame. */
const columns = ['frame.time_relative', 'frame.interface_name', '_ws.col.Info', 'frame.comment'];

/**
 * The `tshark` command for a test that has not passed; undefined if it has no pcapng. It shows the frame that the failure is about, or all
 * frames except those of witnesses.
 * @param path converts the file of an evidence to a path for the reader
 */
export function framePathCommand(evidence: readonly Evidence[], path: (file: string) => string): string | undefined {
  const capture = evidence.find(({ kind, file }) => kind === 'pcap' && file.endsWith('.pcapng'));
  if (!capture) return undefined;
  const packets = capture.packets ?? [];
  const filter =
    packets.length > 0
      ? packets.map((id) => `frame.packet_id == ${id}`).join(' or ')
      : 'not frame.comment == "witness"';
  const fields = columns.flatMap((column) => ['-e', column]);
  return quoteCommand(['tshark', '-r', path(capture.file), '-Y', filter, '-T', 'fields', ...fields]);
}
