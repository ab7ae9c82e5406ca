/** The commit of the kernel that was tested, from its git tree. */
import { createHash } from 'node:crypto';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import type { KernelCommit } from '../../report/export/kcidb.js';
import { findProgram } from '../../setup/tools.mjs';

/**
 * Reads the commit of a tree.
 * @throws MacvlabError USAGE if the folder is not a git tree with a commit; TOOL_MISSING without git
 */
export async function commitOf(tree: string): Promise<KernelCommit> {
  if (findProgram('git') === undefined) {
    throw new MacvlabError('TOOL_MISSING', 'git is not installed, and --tree was given', {
      next: 'install git, or leave --tree out',
    });
  }
  const git = async (...words: string[]) => {
    const what = `read the commit of ${tree}`;
    const next = 'name a git tree with a commit, or leave --tree out';
    return runProgram(['git', '-C', tree, ...words], { what, code: 'USAGE', next });
  };
  const line = async (...words: string[]) => (await git(...words)).toString().trim();
  const optional = (...words: string[]) => line(...words).catch(() => '');
  const git_commit_hash = await line('rev-parse', '--verify', 'HEAD^{commit}');
  const name = await optional('describe', '--tags', '--always');
  const branch = await optional('symbolic-ref', '--short', '--quiet', 'HEAD');
  const remote = await optional('config', '--get', `branch.${branch}.remote`);
  const url = await optional('remote', 'get-url', remote || 'origin');
  return {
    git_commit_hash,
    ...(name && { git_commit_name: name }),
    // The schema accepts no other protocol, and a local path means nothing elsewhere.
    ...(url.startsWith('https://') && { git_repository_url: withoutPassword(url) }),
    ...(branch && { git_repository_branch: branch }),
    patchset_hash: patchsetHash(await git('diff', '--binary', 'HEAD')),
  };
}

/** `sha256sum *.patch | cut -c-64 | sha256sum | cut -c-64` for one patch; empty for none. */
function patchsetHash(patch: Buffer): string {
  if (patch.length === 0) return '';
  return sha256(`${sha256(patch)}\n`);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The document is sent to others, and a URL may contain a user's token. */
function withoutPassword(address: string): string {
  if (!URL.canParse(address)) return address;
  const parsed = new URL(address);
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
