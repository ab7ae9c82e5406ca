/** Fuzzing targets: output of this machine's programs and text of its system files: apt, Vagrant, kernel images, container engines. */
import { z } from 'zod';
import { readAnswer } from '../../../engine/answer.js';
import { EngineRefusal } from '../../../engine/refusal.js';
import { percentIn, readPlan } from '../../../kernel/debian/archive.js';
import { missingOptions } from '../../../kernel/config-check.js';
import { kernelsMeant } from '../../../kernel/debian/catalogue.js';
import { lineSources, stanzaSources } from '../../../kernel/debian/debian-mirror.js';
import { compareVersions, upstreamOf } from '../../../kernel/debian/debian-version.js';
import { hasPvhEntry } from '../../../kernel/image/elf.js';
import { describeForeign } from '../../../kernel/image/foreign-image.js';
import { readKernels } from '../../../kernel/debian/package-lists.js';
import { parseStates } from '../../../machine/vagrant/states.js';
import { readable, vagrantFailure } from '../../../machine/vagrant/vagrant-program.js';
import { complaintIn } from '../../../machine/qemu/console.js';
import { must, type Target, textTarget } from '../target.js';

/** Separates two outputs in one input. */
const between = '\u001e';

const stanzas = `Package: linux-image-cloud-amd64
Version: 6.12.117-1
Depends: linux-image-6.12.117+deb13-cloud-amd64 (= 6.12.117-1)
Size: 1508

Package: linux-image-6.12.117+deb13-cloud-amd64
Version: 6.12.117-1
Depends: kmod, initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool
Size: 34671208

Package: linux-image-7.3-cloud-amd64
Version: 7.3~rc7-1~exp1
Depends: linux-base-7.3-cloud-amd64 (= 7.3~rc7-1~exp1), linux-binary-7.3-cloud-amd64 (= 7.3~rc7-1~exp1)
Size: 1000
`;
const table = ` linux-image-cloud-amd64 | 6.12.117-1 | http://deb.example/debian trixie/main amd64 Packages
linux-image-6.12.117+deb13-cloud-amd64 | 6.12.117-1 | http://deb.example/debian trixie-security/main amd64 Packages
`;
const plan = `'http://deb.example/l.deb' linux-base_4.12%3a1_all.deb 31084 SHA256:${'ab'.repeat(32)}\n`;
const lines =
  'deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://deb.example/debian bookworm main contrib # here\ndeb http://x y z\n';
const deb822 =
  '# ours\nTypes: deb deb-src\nURIs: http://deb.example/debian\nSuites: trixie trixie-updates\n more\nComponents: main\nSigned-By: /k.gpg\n\nTypes: deb\nEnabled: no\n';
const states =
  '1795277791,switch,metadata,provider,libvirt\n1795277792,switch,state,running\n1795277793,node1,state,not_created\n1795277793,,ui,info,Current:\\nall\n';
const vagrantWords = `==> node1: Uploading\n\u001b[KProgress: 0%\r\u001b[KProgress: 100%\r\n1,,ui,error,No provider%!(VAGRANT_COMMA) it seems.
1,,error-exit,Vagrant::Errors::X,No\n/usr/lib/vagrant/machine.rb:248:in x\nmacvlab: the box is missing\n  next: make it\nAn error occurred while executing the action on the 'node1'
machine. Error while connecting to Libvirt: Failed to connect socket: Permission denied\nAddress already in use\n`;
const log =
  '[    1.234567] WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 x+0x1/0x2\n[ 2.000000][  T12] BUG: soft lockup\n<4>[ 3.1] INFO: task x:1 blocked for more\n';

function readCatalogue(text: string): unknown {
  const [shown = '', suites = ''] = text.split(between);
  const kernels = readKernels(shown, suites);
  for (const { release, version, packages } of kernels) {
    // Both are used as folder names.
    must(!/[/\0\s]/.test(release + version), `${release} of ${version} is no name of a file`);
    must(
      packages.every((name) => !name.startsWith('-')),
      `${packages.join(' ')} are no names of packages`,
    );
  }
  return [kernels, kernelsMeant(kernels, '6.12')];
}

function readVersions(text: string): unknown {
  const [one = '', other = '', third = ''] = text.split(between);
  const order = Math.sign(compareVersions(one, other));
  must(order + Math.sign(compareVersions(other, one)) === 0, `${one} and ${other} have no order`);
  must(compareVersions(one, one) === 0, `${one} is not itself`);
  if (order >= 0 && compareVersions(other, third) >= 0)
    must(compareVersions(one, third) >= 0, 'the order has a circle');
  return [order, upstreamOf(one)];
}

function readDownloads(text: string): unknown {
  const downloads = readPlan(text);
  for (const { file } of downloads) must(!file.includes('/') && !/^\.*$/.test(file), `${file} leads elsewhere`);
  return downloads;
}

function readVagrantWords(text: string): unknown {
  const words = readable(text);
  const { message, next, evidence = '' } = vagrantFailure('bring the machines up', ['up'], words, 1);
  must(evidence.length <= words.length + 100, 'it says more than was said');
  return [message, next];
}

function elfFile(): Uint8Array {
  const elf = Buffer.alloc(64 + 56 + 32);
  elf.write('\x7fELF\x02\x01', 'latin1');
  elf.writeUInt16LE(62, 18);
  elf.writeBigUInt64LE(64n, 0x20);
  elf.writeUInt16LE(56, 0x36);
  elf.writeUInt16LE(1, 0x38);
  elf.writeUInt32LE(4, 64);
  elf.writeBigUInt64LE(120n, 64 + 8);
  elf.writeBigUInt64LE(32n, 64 + 32);
  for (const [at, value] of [4, 8, 18].entries()) elf.writeUInt32LE(value, 120 + 4 * at);
  elf.write('Xen\0', 132);
  return elf;
}

const networks = z.array(
  z.looseObject({ Name: z.string(), Id: z.string(), Options: z.record(z.string(), z.string()).nullish() }),
);

export const machineTargets: readonly Target[] = [
  textTarget('apt-cache show and madison', [`${stanzas}${between}${table}`], [], readCatalogue, {
    words: [
      'Package: ',
      'Depends: ',
      'Version: ',
      ' (= ',
      ', ',
      '\n\n',
      ' | ',
      '/main amd64 Packages',
      '-cloud-amd64',
      between,
    ],
  }),
  textTarget('apt-get --print-uris', [plan], [], readDownloads, { words: ["'", "' ", ' SHA256:', '../'] }),
  textTarget('apt’s progress', ['dlstatus:1:77.3:Retrieving', 'pmstatus:x:0:y'], [], percentIn),
  textTarget('sources.list', [lines], [], lineSources, { words: ['deb ', '[', ']', 'signed-by='] }),
  textTarget('debian.sources', [deb822], [], stanzaSources, { words: ['Types: ', '\n\n', '\n ', 'URIs:'] }),
  textTarget(
    'Debian’s versions',
    [`6.12.117-1~deb12u1${between}6.12.117-1${between}1:7.3~rc7-1`, `1.0${between}1${between}2-0`],
    [],
    readVersions,
    {
      words: ['~', '-', ':', '0', between],
    },
  ),
  textTarget('vagrant status', [states], [], (text) => [...parseStates(text)], { words: [',state,', ','] }),
  textTarget('Vagrant’s words', [vagrantWords], [], readVagrantWords, {
    // The code stores no more than this.
    longest: 16_000,
    words: [
      'Failed to connect socket',
      "Box 'x' could not be found",
      'An error occurred while executing the action on',
      'macvlab: ',
      '\n  next: ',
    ],
  }),
  textTarget(
    'a kernel’s config',
    ['CONFIG_MACVLAN=y\nCONFIG_VETH=m\n# CONFIG_BRIDGE is not set\n'],
    [],
    missingOptions,
  ),
  textTarget('a guest’s console', [log], [], (text) => text.split('\n').map(complaintIn)),
  textTarget(
    'docker’s answers',
    ['[{"Name":"net","Id":"1","Options":{"parent":"eth0"}}]'],
    ['ENGINE_REFUSED'],
    (text) => readAnswer(text, networks),
    {
      json: true,
    },
  ),
  textTarget(
    'docker’s refusals',
    ['{"code":7,"msg":"no","details":"d"}', "docker: Error response from daemon: no\nSee 'docker run --help'.\n"],
    [],
    (text) => new EngineRefusal('node1: docker', ['docker'], text).format(),
    { json: true },
  ),
  { name: 'vmlinux', seeds: [elfFile()], run: (input) => hasPvhEntry(Buffer.from(input)) },
  {
    name: 'no kernel image',
    seeds: [elfFile(), Buffer.from('PK\x03\x04')],
    run: (input) => describeForeign(Buffer.from(input), input.length),
  },
];
