/** Each error code with its verdict, exit code, meaning and next step. `npm run docs:errors` generates docs/errors.md from it. */

/** Exit codes of the command line (docs/verdicts.md: "Exit codes"); the last two only with `run --bisect` (harness/report/bisection/exit.ts). */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  lab: 3,
  interrupted: 130,
  cannotTell: 125,
  endsBisection: 128,
} as const;

/** The properties of a code. */
interface About {
  /** The exit code of a command that ends with this error, outside of any test. */
  exit: number;
  /** The verdict of a test that ends with this error, where the kernel or the switch causes it; otherwise it is `error`. */
  verdict?: 'failed';
  means: string;
  next: string;
}

/** Every code that an error of macvlab may have. */
export const errorCodes = {
  USAGE: {
    exit: exitCode.usage,
    means: 'the command line or configuration is wrong',
    next: 'correct the option or key in the message; `macvlab <command> --help` lists the options',
  },
  NOT_ROOT: {
    exit: exitCode.lab,
    means: 'the lab needs root, and this process is not root',
    next: 'run the same command with sudo',
  },
  TOOL_MISSING: {
    exit: exitCode.lab,
    means: 'a program that the lab needs is not installed',
    next: 'install the program in the message, or run `npm run setup`; `macvlab doctor` lists all missing programs',
  },
  OUT_NOT_WRITABLE: {
    exit: exitCode.usage,
    means: 'the folder for reports cannot be written',
    next: 'choose a writable folder with --out, on a disk with free space',
  },
  PROGRAM_FAILED: {
    exit: exitCode.lab,
    means: 'a program of this machine failed',
    next: 'read the end of the program’s output in the evidence, and run its command by hand',
  },
  CACHE_DAMAGED: {
    exit: exitCode.lab,
    means: 'a file of the cache is damaged or incomplete',
    next: 'remove the file in the message; macvlab creates it again',
  },
  CACHE_NOT_WRITABLE: {
    exit: exitCode.lab,
    means: 'the cache of kernels and guest images cannot be written',
    next: 'free disk space, or set MACVLAB_CACHE to a writable folder',
  },
  KERNEL_UNKNOWN: {
    exit: exitCode.usage,
    means: 'no kernel has this name',
    next: 'choose a kernel of `macvlab kernels list`, or give the path of your own image or build tree',
  },
  KERNEL_FETCH: {
    exit: exitCode.lab,
    means: 'a kernel or a guest’s programs could not be fetched',
    next: 'check that apt works on this machine (`apt-get update`): kernels and programs come from its archives',
  },
  KERNEL_UNSUITABLE: {
    exit: exitCode.lab,
    means: 'a kernel lacks options that a guest needs to boot',
    next: 'enable the options in the message, and build the kernel again',
  },
  ENGINE_MISSING: {
    exit: exitCode.lab,
    means: 'there is no container engine, or it does not answer',
    next: 'start a Docker engine, or set DOCKER_HOST; `macvlab doctor` reports the engines that it finds',
  },
  ENGINE_REFUSED: {
    exit: exitCode.lab,
    means: 'a container engine refused an operation that the lab needs',
    next: 'read the engine’s message in the evidence: it needs the right to run privileged containers',
  },
  VAGRANT_MISSING: {
    exit: exitCode.lab,
    means: 'the program vagrant is not installed, or its provider is missing or does not answer',
    next: 'install or start the program in the message; `macvlab doctor` lists all missing programs',
  },
  VAGRANT_FAILED: {
    exit: exitCode.lab,
    means: 'the lab’s Vagrant machines could not be created or reached',
    next: 'read the end of Vagrant’s output in the evidence; start again with `vagrant destroy -f`',
  },
  HOST_UNREACHABLE: {
    exit: exitCode.lab,
    means: 'a host of the inventory does not answer',
    next: 'log in by hand with ssh, with the address and port of the inventory',
  },
  HOST_KEY: {
    exit: exitCode.lab,
    means: 'a host’s key is unknown, or differs from the key in known_hosts',
    next: 'compare the fingerprint with the host’s own, and add the key to known_hosts',
  },
  HOST_REFUSED: {
    exit: exitCode.lab,
    means: 'a host refuses this user’s login',
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
    next: 'install the programs in the message on that host',
  },
  HOST_NIC: {
    exit: exitCode.lab,
    means: 'a host’s NIC does not exist, or is not suitable for the experiments',
    next: 'look at `ip link` on that host, and name a NIC that nothing else needs',
  },
  HOST_ADDRESSES: {
    exit: exitCode.lab,
    means: 'no addresses are available, or another host uses them',
    next: 'name a range of addresses in the inventory that no host on that segment uses',
  },
  HOST_LOST: {
    exit: exitCode.lab,
    means: 'the connection with a host was lost while it was in use',
    next: 'check that the host answers; `macvlab gc` reverts the changes there',
  },
  SWITCH_CLAIM: {
    exit: exitCode.lab,
    means: 'the switch does not behave as the inventory describes',
    next: 'run `macvlab validate-switch` on the port, and correct `switch.hairpin` in the inventory',
  },
  GUEST_START: {
    exit: exitCode.lab,
    means: 'a guest could not be started',
    next: 'read QEMU’s output and the console in the evidence; `macvlab doctor` reports whether guests can run',
  },
  GUEST_DIED: {
    exit: exitCode.lab,
    means: 'a guest’s QEMU ended',
    next: 'read QEMU’s output: was there enough memory, and did another process end it?',
  },
  KERNEL_PANIC: {
    exit: exitCode.lab,
    verdict: 'failed',
    means: 'the kernel under test panicked',
    next: 'look at the console in the evidence: the crash is a failure of the kernel under test',
  },
  KERNEL_DEFECT: {
    exit: exitCode.lab,
    verdict: 'failed',
    means: 'the kernel under test has reported a bug of its own',
    next: 'look at the console in the evidence: the lines before the report show what the test did',
  },
  KERNEL_STALL: {
    exit: exitCode.lab,
    means: 'the kernel under test got no processor for long',
    next: 'repeat it on a machine with less load, or with fewer labs in parallel (--jobs 1)',
  },
  LAB_OPEN: {
    exit: exitCode.lab,
    means: 'the lab could not be built',
    next: 'look at the evidence for the step that failed; `macvlab doctor` reports whether this machine supports the lab',
  },
  LAB_DAMAGED: {
    exit: exitCode.lab,
    means: 'a part of the lab failed while it was in use',
    next: 'look at the first test that did not pass: it has the cause; run it again',
  },
  LAB_UNKNOWN: {
    exit: exitCode.usage,
    means: 'no such lab is running',
    next: '`macvlab lab status` shows which labs are running',
  },
  REMOTE_CONNECT: {
    exit: exitCode.lab,
    means: 'an SSH session could not be opened',
    next: 'look at the evidence for the message of the other side; if the machine is gone, build the lab again',
  },
  REMOTE_DEAD: {
    exit: exitCode.lab,
    means: 'an SSH session ended while it was in use',
    next: 'check that the machine still runs, and which process ended the session; build the lab again',
  },
  REMOTE_DEADLINE: {
    exit: exitCode.lab,
    means: 'a remote command did not end within its deadline',
    next: 'check that the machine is not overloaded; run the command by hand there',
  },
  REMOTE_COMMAND: {
    exit: exitCode.lab,
    means: 'a remote command that must succeed ended with another exit status',
    next: 'look at the command and its output in the evidence, and run it by hand there (`macvlab lab shell`)',
  },
  REMOTE_COPY: {
    exit: exitCode.lab,
    means: 'a file could not be copied',
    next: 'check that the file exists, and that the disk has free space',
  },
  LINK_UNSUPPORTED: {
    exit: exitCode.lab,
    means: 'the kernel does not support this kind of link or setting',
    next: 'use a kernel and an iproute2 that support it',
  },
  LINK_REFUSED: {
    exit: exitCode.lab,
    means: 'the kernel supports the setting and refused it',
    next: 'read the kernel’s message: another setting conflicts with it',
  },
  LINK_IGNORED: {
    exit: exitCode.lab,
    means: 'the kernel accepted a setting and did not apply it',
    next: 'look at the link with `ip -d link`: the kernel or another process has changed the setting',
  },
  LINK_UNREADABLE: {
    exit: exitCode.lab,
    means: 'the output of ip or bridge could not be read back',
    next: 'look at the output in the evidence; is the program iproute2, in a version that prints JSON?',
  },
  CAPTURE_START: {
    exit: exitCode.lab,
    means: 'tcpdump did not start to capture',
    next: 'read tcpdump’s message: the interface must exist and be up',
  },
  CAPTURE_ENDED: {
    exit: exitCode.lab,
    means: 'a capture ended while it was needed',
    next: 'check which process ended tcpdump or removed its interface; run it again',
  },
  CAPTURE_DROPPED: {
    exit: exitCode.lab,
    means: 'a capture lost frames, so that a missing frame proves nothing',
    next: 'run it again on a machine with less load, or with fewer labs in parallel (--jobs 1)',
  },
  PROBE_UNREADABLE: {
    exit: exitCode.lab,
    means: 'the output of ping or arping could not be read',
    next: 'look at the output in the evidence; are the programs ping and arping of iputils?',
  },
  CONTROL_FAILED: {
    exit: exitCode.lab,
    means: 'the positive control did not pass, so that a loss proves nothing',
    next: 'find out why the control is lost: first check the lab’s links, switch and addresses',
  },
  CLOCK_JUMPED: {
    exit: exitCode.lab,
    means: 'this machine’s clock was set during a test that compares times, and again when the test was repeated',
    next: 'run it again when no time service adjusts the clock, for example some time after a start or a sleep',
  },
  WAIT_DEADLINE: {
    exit: exitCode.lab,
    means: 'an expected event did not occur within its deadline',
    next: 'check what the message waited for, and whether the machine is overloaded',
  },
  UNDO_FAILED: {
    exit: exitCode.lab,
    means: 'something that macvlab created could not be removed',
    next: 'look at the evidence for the leftovers, and remove them by hand; `macvlab gc` removes the leftovers of a run',
  },
  NO_EVIDENCE: {
    exit: exitCode.lab,
    means: 'a test or a run proves nothing: nothing was asserted, no frame was seen, or results are missing',
    next: 'assert on captured frames with expect(), and await every promise of the experiment',
  },
  WORKER_DIED: {
    exit: exitCode.lab,
    means: 'the process that ran a kernel of a matrix ended unexpectedly',
    next: 'look at the end of that kernel’s log in the matrix’s folder; was the machine out of memory?',
  },
  INTERRUPTED: {
    exit: exitCode.interrupted,
    means: 'the run was interrupted',
    next: 'run it again',
  },
} as const satisfies Record<string, About>;

export type ErrorCode = keyof typeof errorCodes;

/** Codes only for records and reports: errors in tests that are not errors of macvlab (harness/run/failure.ts). */
export const recordCodes = {
  ASSERTION: {
    exit: exitCode.failed,
    verdict: 'failed',
    means: 'a test failed: the kernel or the switch did not behave as expected',
    next: 'look at the frames and pcaps in the evidence; the test’s repro.sh repeats its steps without macvlab',
  },
  INTERNAL: {
    exit: exitCode.lab,
    means: 'macvlab or a suite has a bug',
    next: 'report it with its stack trace',
  },
} as const satisfies Record<string, About>;

/** The verdict of a test that ends with a code. An unknown one, as in a record of another version, is an error. */
export function verdictOfCode(code: string): 'failed' | 'error' {
  const all: Readonly<Record<string, About>> = { ...errorCodes, ...recordCodes };
  return all[code]?.verdict ?? 'error';
}
