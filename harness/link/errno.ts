/** The kernel's errors for a netlink request, in two classes: "not supported" and "refused". */
import { MacvlabError } from '../core/error.js';

/** Error texts of strerror(3) as iproute2 prints them, with their names (errno(3)). */
const names: Record<string, string> = {
  'Operation not permitted': 'EPERM',
  'No such file or directory': 'ENOENT',
  'No such process': 'ESRCH',
  'Device or resource busy': 'EBUSY',
  'File exists': 'EEXIST',
  'No such device': 'ENODEV',
  'Invalid argument': 'EINVAL',
  'Numerical result out of range': 'ERANGE',
  'Operation not supported': 'EOPNOTSUPP',
  'Address already in use': 'EADDRINUSE',
  'Cannot assign requested address': 'EADDRNOTAVAIL',
  'Network is down': 'ENETDOWN',
  'Network is unreachable': 'ENETUNREACH',
};

/** Errors that mean that kernel or iproute2 does not support the request, rather than refuses it. */
const unsupported =
  /Operation not supported|Unknown device type|RTNETLINK answers: Not supported|argument "[^"\n]*" is wrong(?!: Invalid "netns" value)|argument of "[^"\n]*" must be|Unknown(?:(?!Unknown).)*(?:option|mode)|"[^"\n]+" is a garbage|Unknown command|^Usage: /im;

/**
 * The kernel's messages in iproute2's output: the errno's text, or the text of an extended acknowledgement
 * (NLMSGERR_ATTR_MSG). iproute2's own errors about its arguments begin in the same way (lib/utils.c: invarg, missarg,
 * duparg, duparg2, parse_one_of, get_addr_1).
 */
const kernels =
  /^(?:RTNETLINK answers|Error): (?!argument |duplicate |either |an? |any |inet|[^"\n]* is expected rather than)(.+)$/m;

/** The errno's name in iproute2's output, when it names one. */
export function errnoIn(words: string): string | undefined {
  const text = Object.keys(names).find((candidate) => words.includes(candidate));
  return text === undefined ? undefined : names[text];
}

/** A change of a link, address, route or neighbour that was not made. */
export class LinkError extends MacvlabError {
  /** "EBUSY"; undefined without an errno, as with the kernel's extended acknowledgements. */
  readonly errno: string | undefined;
  /** The message of the kernel or iproute2. */
  readonly stderr: string;
  /** The kernel's message, without iproute2's text around it; undefined when iproute2 failed before its request, or is missing. */
  readonly kernelMessage: string | undefined;

  /** @param what the change, as in "node1: add mac1" */
  constructor(what: string, argv: readonly string[], words: string) {
    const isUnsupported = unsupported.test(words);
    super(isUnsupported ? 'LINK_UNSUPPORTED' : 'LINK_REFUSED', `${what}: ${words.trim().split('\n').join('; ')}`, {
      evidence: `$ ${argv.join(' ')}\n${words}`,
      next: isUnsupported
        ? 'use a kernel and an iproute2 that know it; `macvlab doctor` lists what this machine supports'
        : 'look at the command and at the links before it in the evidence',
    });
    this.errno = errnoIn(words);
    this.stderr = words.trim();
    this.kernelMessage = kernels.exec(words)?.[1]?.trim();
  }
}
