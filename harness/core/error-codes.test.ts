import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type ErrorCode, errorCodes } from './error-codes.js';

/** The test that provokes each error for real: with real programs, files, kernels, sessions. */
const provokedIn: Record<ErrorCode, string> = {
  USAGE: 'cli/config-file.test',
  NOT_ROOT: 'lab/sandbox/sandbox.alone.test',
  TOOL_MISSING: 'cli/missing-programs.test',
  OUT_NOT_WRITABLE: 'cli/main.test',
  PROGRAM_FAILED: 'core/program.test',
  CACHE_DAMAGED: 'lab/vm/whole.test',
  CACHE_NOT_WRITABLE: 'core/cache.test',
  KERNEL_UNKNOWN: 'kernel/debian-kernel.test',
  KERNEL_FETCH: 'kernel/debian-kernel.test',
  KERNEL_UNSUITABLE: 'kernel/own-kernel.test',
  ENGINE_MISSING: 'lab/container/engine.test',
  ENGINE_REFUSED: 'lab/container/container.engine.test',
  VAGRANT_MISSING: 'cli/missing-programs.test',
  VAGRANT_FAILED: 'lab/vagrant/vagrant.test',
  HOST_UNREACHABLE: 'lab/inventory/reach.hosts.test',
  HOST_KEY: 'lab/inventory/reach.hosts.test',
  HOST_REFUSED: 'lab/inventory/reach.hosts.test',
  HOST_SUDO: 'lab/inventory/reach.hosts.test',
  HOST_LACKS: 'lab/inventory/reach.hosts.test',
  HOST_NIC: 'lab/inventory/inventory.hosts.test',
  HOST_ADDRESSES: 'cli/validate-switch.hosts.test',
  HOST_LOST: 'lab/inventory/reach.hosts.test',
  SWITCH_CLAIM: 'cli/inventory-first-use.hosts.test',
  GUEST_START: 'lab/vm/guest.guest.test',
  GUEST_DIED: 'lab/vm/guest.guest.test',
  KERNEL_PANIC: 'lab/vm/vm.guest.test',
  KERNEL_DEFECT: 'run/kernel-complaint.guest.test',
  KERNEL_STALL: 'run/kernel-complaint.guest.test',
  LAB_OPEN: 'lab/sandbox/sandbox.alone.test',
  LAB_DAMAGED: 'lab/inventory/host-guard.hosts.test',
  LAB_UNKNOWN: 'lab/kept.test',
  REMOTE_CONNECT: 'remote/session.alone.test',
  REMOTE_DEAD: 'remote/session.alone.test',
  REMOTE_DEADLINE: 'remote/session.alone.test',
  REMOTE_COMMAND: 'remote/session.alone.test',
  REMOTE_COPY: 'remote/session.alone.test',
  LINK_UNSUPPORTED: 'link/change.test',
  LINK_REFUSED: 'link/change.test',
  LINK_IGNORED: 'link/change.test',
  LINK_UNREADABLE: 'link/link-info.test',
  CAPTURE_START: 'wire/capture.alone.test',
  CAPTURE_ENDED: 'wire/capture.alone.test',
  CAPTURE_DROPPED: 'wire/capture.alone.test',
  PROBE_UNREADABLE: 'probe/ping.test',
  CONTROL_FAILED: 'run/verdicts.test',
  CLOCK_JUMPED: 'run/verdicts.test',
  WAIT_DEADLINE: 'core/wait.alone.test',
  UNDO_FAILED: 'link/change.test',
  NO_EVIDENCE: 'run/verdicts.test',
  WORKER_DIED: 'matrix/perform-matrix.guest.test',
  INTERRUPTED: 'cli/run-interrupted.test',
};

/** An assertion that a code is not there. */
const refused = (code: string) => new RegExp(`\\bnot\\.[^;]*\\b${code}\\b`);

describe('error codes', () => {
  for (const [code, file] of Object.entries(provokedIn)) {
    it(`${code} is provoked in ${file}`, () => {
      const path = fileURLToPath(new URL(`../${file}.js`, import.meta.url));
      const lines = readFileSync(path, 'utf8').split('\n');
      const named = lines.filter((line) => new RegExp(`\\b${code}\\b`).test(line));
      // A fixture that is made to be shown, or a comment, provokes nothing; nor does what is not to come.
      const asserted = named.filter(
        (line) => !/^\s*(\/\/|\*|\/\*)|new MacvlabError\(/.test(line) && !refused(code).test(line),
      );
      expect(asserted, `${file}.ts does not assert ${code}`).to.not.be.empty;
    });
  }

  it('each say in general what to do, in a line', () => {
    for (const [code, { next }] of Object.entries(errorCodes)) expect(next, code).to.match(/^[a-z`][^\n]{5,}[^.]$/);
  });
});
