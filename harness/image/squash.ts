/** Packs a tree as a read-only file system in one file. */
import { runProgram } from '../core/program.js';
import { hostTool } from '../core/host-tools.js';
import { tryAgain } from './root-tree.js';

/**
 * Packs a tree as a squashfs. It is uncompressed: an emulated guest reads faster than it unpacks.
 * @param what "the guests’ root image"
 * @throws MacvlabError TOOL_MISSING, PROGRAM_FAILED
 */
export async function squash(tree: string, image: string, what: string, signal?: AbortSignal): Promise<void> {
  const plain = ['-noI', '-noD', '-noF', '-noX', '-no-xattrs'];
  const argv = [hostTool('mksquashfs'), tree, image, '-noappend', '-all-root', ...plain, '-no-progress', '-quiet'];
  // mksquashfs(1): the image's time, and the maximum for any file in it.
  const env = { SOURCE_DATE_EPOCH: '1' };
  await runProgram(argv, { what: `pack ${what}`, next: tryAgain, env, signal });
}
