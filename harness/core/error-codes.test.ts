import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type ErrorCode, errorCodes } from './error-codes.js';

/** The test that causes each real error: with real programs, files, kernels, sessions. */
const provokedIn: Record<ErrorCode, string> = {
  USAGE: 'cli/config-file.test',
  NOT_ROOT: 'machine/sandbox/sandbox.alone.test',
  TOOL_MISSING: 'cli/run/missing-programs.test',
  OUT_NOT_WRITABLE: 'cli/main.test',
  PROGRAM_FAILED: 'core/program.test',
  CACHE_DAMAGED: 'image/whole.test',
  CACHE_NOT_WRITABLE: 'core/cache.test',
  KERNEL_UNKNOWN: 'kernel/debian/debian-kernel.test',
  KERNEL_FETCH: 'kernel/debian/debian-kernel.test',
  KERNEL_UNSUITABLE: 'kernel/own/own-kernel.test',
  ENGINE_MISSING: 'machine/container/engine.test',
  ENGINE_REFUSED: 'machine/container/container.engine.test',
  VAGRANT_MISSING: 'cli/run/missing-programs.test',
  VAGRANT_FAILED: 'machine/vagrant/vagrant.test',
  HOST_UNREACHABLE: 'machine/inventory/reach/reach.hosts.test',
  HOST_KEY: 'machine/inventory/reach/reach.hosts.test',
  HOST_REFUSED: 'machine/inventory/reach/reach.hosts.test',
  HOST_SUDO: 'machine/inventory/reach/reach.hosts.test',
  HOST_LACKS: 'machine/inventory/reach/reach.hosts.test',
  HOST_NIC: 'machine/inventory/inventory.hosts.test',
  HOST_ADDRESSES: 'cli/switch-port/validate-switch.hosts.test',
  HOST_LOST: 'machine/inventory/reach/reach.hosts.test',
  SWITCH_CLAIM: 'cli/run/inventory-first-use.hosts.test',
  GUEST_START: 'machine/qemu/guest.guest.test',
  GUEST_DIED: 'machine/qemu/guest.guest.test',
  KERNEL_PANIC: 'machine/vm/vm.guest.test',
  KERNEL_DEFECT: 'run/kernel-splat.guest.test',
  KERNEL_STALL: 'run/kernel-splat.guest.test',
  LAB_OPEN: 'machine/sandbox/sandbox.alone.test',
  LAB_DAMAGED: 'machine/inventory/restore/host-guard.hosts.test',
  LAB_UNKNOWN: 'machine/detached/detached-labs.test',
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
  WORKER_DIED: 'matrix/run/run-matrix.guest.test',
  INTERRUPTED: 'cli/run/run-interrupted.test',
};

/** An assertion that a code is absent. */
const refused = (code: string) => new RegExp(`\\bnot\\.[^;]*\\b${code}\\b`);

describe('error codes', () => {
  for (const [code, file] of Object.entries(provokedIn)) {
    it(`${code} is provoked in ${file}`, () => {
      const path = fileURLToPath(new URL(`../${file}.js`, import.meta.url));
      const lines = readFileSync(path, 'utf8').split('\n');
      const named = lines.filter((line) => new RegExp(`\\b${code}\\b`).test(line));
      // A display fixture, a comment or an assertion of absence does not cause the error.
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
