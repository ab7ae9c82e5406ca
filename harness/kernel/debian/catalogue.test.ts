import { expect } from 'chai';
import { findKernel, kernelsMeant, unknownKernel } from './catalogue.js';
import { concernsKernels, readKernels } from './package-lists.js';

/** The relevant fields of the output of `apt-cache show` for the archive of November 2026. */
const stanzas = [
  [
    'linux-image-cloud-amd64',
    '7.3.4-1~bpo13+1',
    1524,
    'linux-base-cloud-amd64 (= 7.3.4-1~bpo13+1), linux-image-7.3.4+deb13-cloud-amd64 (= 7.3.4-1~bpo13+1)',
  ],
  ['linux-image-cloud-amd64', '6.12.117-1', 1508, 'linux-image-6.12.117+deb13-cloud-amd64 (= 6.12.117-1)'],
  ['linux-image-cloud-amd64', '6.12.107-1', 1496, 'linux-image-6.12.107+deb13-cloud-amd64 (= 6.12.107-1)'],
  ['linux-image-cloud-amd64', '6.1.192-2', 1504, 'linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)'],
  // bookworm-security has kernels of the next Debian, and a metapackage that depends on them
  [
    'linux-image-6.12-cloud-amd64',
    '6.12.117-1~deb12u1',
    1512,
    'linux-image-6.12.117+deb12-cloud-amd64 (= 6.12.117-1~deb12u1)',
  ],
  [
    'linux-image-6.12.117+deb12-cloud-amd64',
    '6.12.117-1~deb12u1',
    34307256,
    'kmod, initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool',
  ],
  ['linux-image-6.12.117+deb12-cloud-amd64-unsigned', '6.12.117-1~deb12u1', 34300000, 'kmod'],
  [
    'linux-image-6.12.117+deb13-cloud-amd64',
    '6.12.117-1',
    34671208,
    'kmod, initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool',
  ],
  ['linux-image-6.12.107+deb13-cloud-amd64', '6.12.107-1', 34402644, 'kmod'],
  [
    'linux-image-6.1.0-56-cloud-amd64',
    '6.1.192-2',
    26713492,
    'kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2)',
  ],
  ['linux-image-6.1.0-55-cloud-amd64-unsigned', '6.1.192-1', 26714844, 'kmod'],
  ['linux-image-6.1.0-56-cloud-amd64-dbg', '6.1.192-2', 1, ''],
  ...splitStanzas('7.3.4+deb13', '7.3.4-1~bpo13+1', ['image', 'base', 'binary', 'modules']),
  // the archive removed the modules of this one when the next one was published
  ...splitStanzas('7.1.13+deb13', '7.1.13-1~bpo13+1', ['image', 'binary']),
  // not signed yet
  ...splitStanzas('7.3', '7.3~rc7-1~exp1', ['base', 'binary-unsigned', 'modules']),
]
  .map(
    ([name, version, bytes, depends]) =>
      `Package: ${name}\nVersion: ${version}\nInstalled-Size: 15\nDepends: ${depends}\nDescription: Linux\nSize: ${bytes}\n`,
  )
  .join('\n');

function splitStanzas(abi: string, version: string, parts: string[]): [string, string, number, string][] {
  const needed = ['base', 'binary', 'modules'].map((part) => `linux-${part}-${abi}-cloud-amd64 (= ${version})`);
  const dependsOf = (part: string) => (part === 'image' ? needed : needed.slice(0, 1)).join(', ');
  return parts.map((part) => [`linux-${part}-${abi}-cloud-amd64`, version, 1000, dependsOf(part)]);
}

const table = [
  'linux-image-cloud-amd64 | 7.3.4-1~bpo13+1 | http://mirror/debian trixie-backports/main amd64 Packages',
  'linux-image-cloud-amd64 | 6.12.117-1 | http://mirror/debian-security trixie-security/main amd64 Packages',
  'linux-image-cloud-amd64 | 6.12.107-1 | http://mirror/debian trixie/main amd64 Packages',
  'linux-image-cloud-amd64 |  6.1.192-2 | http://mirror/debian-security bookworm-security/main amd64 Packages',
  'linux-image-6.12.117+deb12-cloud-amd64 | 6.12.117-1~deb12u1 | http://mirror/debian-security bookworm-security/main amd64 Packages',
  'linux-image-6.12.117+deb13-cloud-amd64 | 6.12.117-1 | http://mirror/debian-security trixie-security/main amd64 Packages',
  'linux-image-6.12.107+deb13-cloud-amd64 | 6.12.107-1 | http://mirror/debian-security trixie-security/main amd64 Packages',
  'linux-image-6.12.107+deb13-cloud-amd64 | 6.12.107-1 | http://mirror/debian trixie/main amd64 Packages',
  'linux-image-6.1.0-56-cloud-amd64 |  6.1.192-2 | http://mirror/debian-security bookworm-security/main amd64 Packages',
  'linux-image-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | http://mirror/debian trixie-backports/main amd64 Packages',
  'linux-binary-unsigned-7.3-cloud-amd64 | 7.3~rc7-1~exp1 | http://mirror/debian experimental/main amd64 Packages',
].join('\n');

describe('the catalogue of kernels', () => {
  const kernels = readKernels(stanzas, table);

  it('has each kernel once, from the oldest to the newest, and none that is incomplete', () => {
    expect(kernels.map(({ release }) => release.replace('-cloud-amd64', ''))).to.deep.equal([
      '6.1.0-55',
      '6.1.0-56',
      '6.12.107+deb13',
      '6.12.117+deb12',
      '6.12.117+deb13',
      '7.3',
      '7.3.4+deb13',
    ]);
  });

  it('leaves out what cannot be in the archive: names that lead elsewhere, no version, no size', () => {
    const wrong = [
      ['linux-image-6.1/../../x-cloud-amd64', '6.1-1', '5'],
      ['linux-image-6.1.0-1-cloud-amd64', '6.1/../x-1', '5'],
      ['linux-image-6.1.0-2-cloud-amd64', '', '5'],
      ['linux-image-6.1.0-3-cloud-amd64', '6.1-1', 'large'],
      ['linux-image-6.1.0-4-cloud-amd64', '6.1-1', '5'],
    ].map(([name, version, size]) => `Package: ${name}\nVersion: ${version}\nSize: ${size}\n`);
    expect(readKernels(wrong.join('\n'), '').map(({ release }) => release)).to.deep.equal(['6.1.0-4-cloud-amd64']);
  });

  it('tells what is to be fetched, and where it is', () => {
    expect(findKernel(kernels, '6.12.117+deb12')).to.deep.include({
      packages: ['linux-image-6.12.117+deb12-cloud-amd64=6.12.117-1~deb12u1'],
      bytes: 34307256,
      suites: ['bookworm-security'],
    });
    expect(findKernel(kernels, '6.12.107')?.suites).to.deep.equal(['trixie', 'trixie-security']);
    expect(findKernel(kernels, '7.3-rc7')).to.deep.include({
      packages: ['base', 'binary-unsigned', 'modules'].map((part) => `linux-${part}-7.3-cloud-amd64=7.3~rc7-1~exp1`),
      bytes: 3000,
    });
  });

  for (const [spec, release] of [
    [undefined, '6.12.117+deb13'],
    ['6.12', '6.12.117+deb13'],
    ['6.1', '6.1.0-56'],
    ['v6.1.192', '6.1.0-56'],
    ['6.1.192-1', '6.1.0-55'],
    ['6.1.0-55', '6.1.0-55'],
    ['6.1.0-55-cloud-amd64', '6.1.0-55'],
    ['7.3', '7.3.4+deb13'],
    ['7.3~rc7', '7.3'],
    ['7.3~rc7-1~exp1', '7.3'],
    ['7.3-rc', '7.3'],
    ['newest', '7.3.4+deb13'],
    ['trixie', '6.12.117+deb13'],
    ['trixie-backports', '7.3.4+deb13'],
    ['bookworm', '6.1.0-56'],
  ] as const) {
    it(`finds ${release} by ${spec ?? 'nothing'}`, () => {
      expect(findKernel(kernels, spec)?.release).to.equal(`${release}-cloud-amd64`);
    });
  }

  for (const [spec, near] of [
    ['6.13', '6.12, 7.3'],
    ['4.19', '6.1'],
    ['9', '6.12, 7.3'],
    ['6.12.110', '6.12.107, 6.12.117'],
    ['6.1.0-99', '6.1.0-55, 6.1.0-56'],
    ['6.1.0-40-cloud-amd64', '6.1.0-55'],
    ['bullseye', 'bookworm, bookworm-security'],
  ] as const) {
    it(`does not find ${spec}, and names ${near}`, () => {
      expect(kernelsMeant(kernels, spec)).to.deep.equal([]);
      expect(unknownKernel(kernels, spec).format()).to.include(`: ${near}`).and.to.include('macvlab kernels list');
    });
  }

  it('takes no other package for a kernel’s', () => {
    const others = ['linux-headers-7.3-cloud-amd64', 'linux-image-7.3-amd64', 'linux-image-7.3-cloud-arm64'];
    expect([...others, 'linux-image-6.1.0-56-cloud-amd64-dbg'].filter(concernsKernels)).to.deep.equal([]);
  });
});
