/** What there is to know of each error code, verdict and exit code included: docs/errors.md is made from this (`npm run docs:errors`). */

/** Exit codes of the command line (architecture: "Exit codes"); the last two only with `run --bisect` (report/bisect-exit.ts). */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  lab: 3,
  interrupted: 130,
  cannotTell: 125,
  endsBisection: 128,
} as const;

/** What is known of a code. */
interface About {
  /** The exit code of a command that ends with this error, outside of any test. */
  exit: number;
  /** The verdict of a test that ends with this error, where that is the kernel's or the switch's fault; otherwise it is `error`. */
  verdict?: 'failed';
  means: string;
  next: string;
}

/** Every code that an error of macvlab may have. */
export const errorCodes = {
  USAGE: {
    exit: exitCode.usage,
    means: 'the command line or configuration is wrong',
    next: 'correct what the message names; `macvlab <command> --help` shows what there is',
  },
  NOT_ROOT: {
    exit: exitCode.lab,
    means: 'the lab needs root, and this process is not root',
    next: 'run the same command with sudo',
  },
  TOOL_MISSING: {
    exit: exitCode.lab,
    means: 'a program that the lab needs is not installed',
    next: 'install what the message names, or let `npm run setup` do so; `macvlab doctor` shows all that is missing',
  },
  OUT_NOT_WRITABLE: {
    exit: exitCode.usage,
    means: 'the folder for reports cannot be written',
    next: 'choose a folder that you may write, on a disk with room, with --out',
  },
  PROGRAM_FAILED: {
    exit: exitCode.lab,
    means: 'a program of this machine failed',
    next: 'look at the program’s last words in the evidence, and run its command by hand',
  },
  CACHE_DAMAGED: {
    exit: exitCode.lab,
    means: 'a file of the cache is not whole',
    next: 'remove the file that the message names: it is made again',
  },
  CACHE_NOT_WRITABLE: {
    exit: exitCode.lab,
    means: 'the cache of kernels and guest images cannot be written',
    next: 'make room, or name a folder that you may write in the environment’s MACVLAB_CACHE',
  },
  KERNEL_UNKNOWN: {
    exit: exitCode.usage,
    means: 'there is no such kernel',
    next: 'choose one that `macvlab kernels list` shows, or name the file or build tree of your own',
  },
  KERNEL_FETCH: {
    exit: exitCode.lab,
    means: 'a kernel or a guest’s programs could not be fetched',
    next: 'look whether apt works on this machine (`apt-get update`): kernels and programs come from its archives',
  },
  KERNEL_UNSUITABLE: {
    exit: exitCode.lab,
    means: 'a kernel lacks what a guest needs to boot',
    next: 'switch on the options that the message names, and build the kernel again',
  },
  ENGINE_MISSING: {
    exit: exitCode.lab,
    means: 'there is no container engine, or it does not answer',
    next: 'start a Docker engine, or name one in the environment’s DOCKER_HOST; `macvlab doctor` tells what it finds',
  },
  ENGINE_REFUSED: {
    exit: exitCode.lab,
    means: 'a container engine cannot or will not do what the lab needs',
    next: 'look at the engine’s words in the evidence: it needs the right to run privileged containers',
  },
  VAGRANT_MISSING: {
    exit: exitCode.lab,
    means: 'there is no Vagrant, or its provider is missing or does not answer',
    next: 'install or start what the message names; `macvlab doctor` shows all that is missing',
  },
  VAGRANT_FAILED: {
    exit: exitCode.lab,
    means: 'the lab’s machines could not be made or reached by Vagrant',
    next: 'look at Vagrant’s last words in the evidence; begin anew with `vagrant destroy -f`',
  },
  HOST_UNREACHABLE: {
    exit: exitCode.lab,
    means: 'a host of the inventory does not answer',
    next: 'log in by hand with ssh, by the address and port of the inventory',
  },
  HOST_KEY: {
    exit: exitCode.lab,
    means: 'a host’s key is unknown, or not the one that is known',
    next: 'compare the key’s fingerprint with the host’s own, and take it into known_hosts',
  },
  HOST_REFUSED: {
    exit: exitCode.lab,
    means: 'a host does not let this user in',
    next: 'log in by hand with ssh, as the user and with the key of the inventory',
  },
  HOST_SUDO: {
    exit: exitCode.lab,
    means: 'this user cannot become root on a host',
    next: 'allow that user sudo without a password, or name root in the inventory',
  },
  HOST_LACKS: {
    exit: exitCode.lab,
    means: 'a host lacks a program, or a right, that a lab needs',
    next: 'install on that host what the message names',
  },
  HOST_NIC: {
    exit: exitCode.lab,
    means: 'a host’s network card is not there, or cannot carry the experiments',
    next: 'look at `ip link` on that host, and name a card that nothing else needs',
  },
  HOST_ADDRESSES: {
    exit: exitCode.lab,
    means: 'there are no addresses to use, or somebody uses them',
    next: 'name a range of addresses in the inventory that nobody on that wire uses',
  },
  HOST_LOST: {
    exit: exitCode.lab,
    means: 'the connection with a host was lost while it was in use',
    next: 'look whether the host still answers; `macvlab gc` puts back what was changed there',
  },
  SWITCH_CLAIM: {
    exit: exitCode.lab,
    means: 'the switch does something else than the inventory says of it',
    next: 'find out with `macvlab validate-switch` what the port does, and correct `switch.hairpin` in the inventory',
  },
  GUEST_START: {
    exit: exitCode.lab,
    means: 'a guest could not be started',
    next: 'look at QEMU’s last words and the console in the evidence; `macvlab doctor` tells whether guests can run',
  },
  GUEST_DIED: {
    exit: exitCode.lab,
    means: 'a guest’s QEMU ended',
    next: 'look at QEMU’s last words: is there memory enough, and did somebody end it?',
  },
  KERNEL_PANIC: {
    exit: exitCode.lab,
    verdict: 'failed',
    means: 'the kernel under test panicked',
    next: 'look at the console in the evidence: the kernel under test has crashed, which is its own failure',
  },
  KERNEL_DEFECT: {
    exit: exitCode.lab,
    verdict: 'failed',
    means: 'the kernel under test has reported a bug of its own',
    next: 'look at the console in the evidence: what the test did stands right before',
  },
  KERNEL_STALL: {
    exit: exitCode.lab,
    means: 'the kernel under test got no processor for long',
    next: 'repeat it on a machine that is less busy, or with fewer labs side by side (--jobs 1)',
  },
  LAB_OPEN: {
    exit: exitCode.lab,
    means: 'the lab could not be built',
    next: 'look at the evidence for the step that failed; `macvlab doctor` tells whether this machine can have that lab',
  },
  LAB_DAMAGED: {
    exit: exitCode.lab,
    means: 'a part of the lab failed while it was in use',
    next: 'look at the first test that was not passed: what damaged the lab stands there; run it again',
  },
  LAB_UNKNOWN: {
    exit: exitCode.usage,
    means: 'no such lab is running',
    next: '`macvlab lab status` shows which labs are running',
  },
  REMOTE_CONNECT: {
    exit: exitCode.lab,
    means: 'an SSH session could not be opened',
    next: 'look at the evidence for what the other side said; when it is gone, build the lab anew',
  },
  REMOTE_DEAD: {
    exit: exitCode.lab,
    means: 'an SSH session ended while it was in use',
    next: 'look whether the machine still runs, and who ended the session; build the lab anew',
  },
  REMOTE_DEADLINE: {
    exit: exitCode.lab,
    means: 'a remote command did not end within its deadline',
    next: 'look whether the machine is overloaded; run the command by hand there',
  },
  REMOTE_COMMAND: {
    exit: exitCode.lab,
    means: 'a remote command that must succeed ended with another exit status',
    next: 'look at the command and its words in the evidence, and run it by hand there (`macvlab lab shell`)',
  },
  REMOTE_COPY: {
    exit: exitCode.lab,
    means: 'a file could not be copied',
    next: 'look whether the file is there, and whether there is room for it',
  },
  LINK_UNSUPPORTED: {
    exit: exitCode.lab,
    means: 'the kernel does not know this kind of link or setting',
    next: 'use a kernel that has it, and an iproute2 that knows the word',
  },
  LINK_REFUSED: {
    exit: exitCode.lab,
    means: 'the kernel knows the setting and refused it',
    next: 'look at the kernel’s words: another setting stands in the way',
  },
  LINK_IGNORED: {
    exit: exitCode.lab,
    means: 'the kernel accepted a setting and did not take it over',
    next: 'look at the link with `ip -d link`: the kernel, or somebody beside us, has set it otherwise',
  },
  LINK_UNREADABLE: {
    exit: exitCode.lab,
    means: 'the output of ip or bridge could not be read back',
    next: 'look at the output in the evidence; is that iproute2, of a version that prints JSON?',
  },
  CAPTURE_START: {
    exit: exitCode.lab,
    means: 'tcpdump did not begin to listen',
    next: 'look at tcpdump’s words: the interface must exist and be up',
  },
  CAPTURE_ENDED: {
    exit: exitCode.lab,
    means: 'a capture ended while it was needed',
    next: 'look who ended tcpdump, or took its interface away; run it again',
  },
  CAPTURE_DROPPED: {
    exit: exitCode.lab,
    means: 'a capture lost frames, so that a missing frame proves nothing',
    next: 'run it again on a machine that is less busy, or with fewer labs side by side (--jobs 1)',
  },
  PROBE_UNREADABLE: {
    exit: exitCode.lab,
    means: 'the output of ping or arping could not be read',
    next: 'look at the output in the evidence; is that iputils’ ping and arping?',
  },
  CONTROL_FAILED: {
    exit: exitCode.lab,
    means: 'the positive control did not pass, so that a loss proves nothing',
    next: 'find out why what must pass does not: the lab’s own cables, switch and addresses come first',
  },
  CLOCK_JUMPED: {
    exit: exitCode.lab,
    means: 'this machine’s clock was set while a test compared times with it',
    next: 'run it again when the clock is no longer set: by a time service that was just started, or after sleep',
  },
  WAIT_DEADLINE: {
    exit: exitCode.lab,
    means: 'something awaited did not happen within its deadline',
    next: 'look what was awaited, and whether the machine is overloaded',
  },
  UNDO_FAILED: {
    exit: exitCode.lab,
    means: 'something that was created could not be taken away again',
    next: 'look at the evidence for what was left, and take it away by hand; `macvlab gc` removes what a run has left',
  },
  NO_EVIDENCE: {
    exit: exitCode.lab,
    means: 'a test or a run proves nothing: nothing was asserted, no frame was seen, or results are missing',
    next: 'let the experiment state its outcome, with expect(), about frames that were seen; await all that it begins',
  },
  WORKER_DIED: {
    exit: exitCode.lab,
    means: 'the process that performed a kernel of a matrix ended by itself',
    next: 'look at the end of that kernel’s log in the matrix’s folder; did the machine run out of memory?',
  },
  INTERRUPTED: {
    exit: exitCode.interrupted,
    means: 'the run was interrupted',
    next: 'run it again',
  },
} as const satisfies Record<string, About>;

export type ErrorCode = keyof typeof errorCodes;

/** Codes that only records and reports have: of what tests throw that is no error of macvlab (harness/run/failure.ts). */
export const recordCodes = {
  ASSERTION: {
    exit: exitCode.failed,
    verdict: 'failed',
    means: 'a test failed: the kernel or the switch did not do what was expected',
    next: 'look at the frames and pcaps in the evidence; the test’s repro.sh repeats its steps without macvlab',
  },
  INTERNAL: {
    exit: exitCode.lab,
    means: 'macvlab or a suite has a bug',
    next: 'report it with the stack that stands there',
  },
} as const satisfies Record<string, About>;

/** The verdict of a test that ends with a code. One that nobody knows, as in a record of another version, is an error. */
export function verdictOfCode(code: string): 'failed' | 'error' {
  const all: Readonly<Record<string, About>> = { ...errorCodes, ...recordCodes };
  return all[code]?.verdict ?? 'error';
}
