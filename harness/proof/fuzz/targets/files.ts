/** Fuzzing targets: files that macvlab or a user has written, read after others may have changed them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readConfig } from '../../../cli/config-file.js';
import type { ErrorCode } from '../../../core/error.js';
import { cachedKernels } from '../../../kernel/debian/debian-kernel.js';
import { kernelsMeant } from '../../../kernel/debian/catalogue.js';
import { readBzImage } from '../../../kernel/image/bzimage.js';
import { Engine } from '../../../machine/container/engine.js';
import { findEngine } from '../../../machine/container/engine-address.js';
import { listDamaged, listDetached } from '../../../machine/detached/detached-labs.js';
import { readInventory } from '../../../machine/inventory/file/inventory-file.js';
import { readJournal } from '../../../machine/inventory/restore/journal.js';
import { readClaim } from '../../../machine/vagrant/claim.js';
import { findPrepared } from '../../../machine/vagrant/prepared.js';
import { readSettings } from '../../../machine/vagrant/settings.js';
import { readBaseline } from '../../../matrix/compare/baseline-file.js';
import { readMatrix } from '../../../matrix/folder.js';
import { readKnownDifferences } from '../../../matrix/compare/known-differences-file.js';
import { readRun } from '../../../run/read-run.js';
import { mustBeFinite, refusalOf, type Target } from '../target.js';

/** Files of a folder, by relative path. */
type Files = Readonly<Record<string, string | Uint8Array>>;

interface FileTarget {
  name: string;
  seeds: readonly (string | Uint8Array)[];
  codes: readonly ErrorCode[];
  /** The fuzzed file, in a separate folder together with the files of `beside`. */
  file: string;
  beside?: Files;
  /** Environment variables that contain the folder's path while it is read. */
  variables?: readonly string[];
  read: (folder: string) => unknown;
  json?: boolean;
  words?: readonly string[];
  longest?: number;
}

let home: string | undefined;

/** A folder for a target's files. It is removed when this process ends. */
function folderOf(name: string): string {
  if (home === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'macvlab-fuzz-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    home = made;
  }
  return join(home, name);
}

function fileTarget({ seeds, codes, file, beside = {}, variables = [], read, ...rest }: FileTarget): Target {
  let folder: string | undefined;
  const prepare = (): string => {
    const made = folderOf(rest.name.replaceAll(/\W/g, '-'));
    for (const [path, content] of Object.entries({ ...beside, [file]: '' })) {
      mkdirSync(dirname(join(made, path)), { recursive: true });
      writeFileSync(join(made, path), content);
    }
    return made;
  };
  return {
    ...rest,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    run: async (input) => {
      folder ??= prepare();
      writeFileSync(join(folder, file), input);
      const before = variables.map((name) => [name, process.env[name]] as const);
      for (const name of variables) process.env[name] = folder;
      try {
        mustBeFinite(await read(folder));
      } catch (error) {
        refusalOf(codes, error);
      } finally {
        for (const [name, value] of before) {
          if (value === undefined) Reflect.deleteProperty(process.env, name);
          else process.env[name] = value;
        }
      }
    },
  };
}

const run = JSON.stringify({
  ...{ schema: 1, id: '20261121-081500-4f2a', macvlab: '0.1.0', arguments: ['run'], lab: 'sandbox', kernel: '6.1.0' },
  ...{ machine: 'bench1', tools: { tcpdump: '4.99.3' }, startedAt: '2026-11-21T08:15:00.123Z', planned: 1 },
  ...{ interrupted: false, exit: 1, failure: { code: 'LAB_OPEN', message: 'no' } },
  features: [{ name: 'macvlan', group: 'links', state: 'supported', words: '' }],
});
const record = JSON.stringify({
  ...{ schema: 2, key: 'two', number: 1, id: 'A1.3', title: 'two', suite: 'A1', file: 'suites/a1.ts', modes: ['vepa'] },
  ...{
    verdict: 'failed',
    reason: 'x',
    failure: { code: 'X', message: 'm', details: 'd', next: 'n' },
    observed: { mode: 'vepa' },
  },
  ...{
    measured: { ms: 1.5 },
    lab: 'sandbox',
    kernel: '6.1.0',
    startedAt: '2026-11-21T08:15:00.500Z',
    durationMs: 34.4,
  },
  ...{ assertions: 3, frames: 12, evidence: [{ kind: 'pcap', file: 'evidence/1/x.pcap', title: 'x' }] },
});
const matrix = JSON.stringify({
  ...{ schema: 2, id: '20261121-081500-4f2a', macvlab: '0.1.0', arguments: [], machine: 'bench1', interrupted: false },
  ...{ startedAt: '2026-11-21T08:15:00.123Z', filters: ['A1'], mode: 'bridge', shard: { index: 1, count: 2 } },
  kernels: [
    {
      name: '6.12',
      spec: '6.12.117-1',
      version: '6.12.117',
      release: '6.12.117+deb13-cloud-amd64',
      slot: '6.12',
      share: [0],
    },
  ],
  experiments: [
    { key: 'two', id: 'A1.3', title: 'two', suite: 'A1', file: 'suites/a1.ts' },
    { key: 'three', aliases: ['3'], id: 'A1.4', title: 'three', suite: 'A1', file: 'suites/a1.ts' },
  ],
});
const baseline = JSON.stringify({
  ...{ schema: 2, date: '2026-11-21T08:15:00.123Z', macvlab: ['0.1.0'] },
  kernels: [
    {
      ...{ name: '6.12', version: '6.12.117', release: '6.12.117-cloud-amd64' },
      experiments: [{ experiment: 'two', verdict: 'passed', observed: { mode: 'vepa' } }],
      features: [{ feature: 'source mode', state: 'supported' }],
    },
  ],
});
const known = `- name: no source lists on our kernel
  about: {experiment: x4-source-listed-only}
  kernels: <6.1
  expected: failed
  reason: &why they are patched out
  source: *why
`;
const config = 'lab: sandbox\nkernel: "6.12"\njobs: 2\nreporter: [terminal, junit]\nbail: true\nout: reports\n';
const settings = 'provider: libvirt\nbox: macvlab\nmemory: 512\ncpus: 1\nkernel:\ndriver: auto\nmanagement: nat\n';
const inventory = `machines:
  node1: {host: 10.0.0.11, user: ops, nic: eth1, jump: "ops@[::1]:22"}
  node2: &two {host: h2, nic: eth1, identity: ~/.ssh/k}
addresses: [10.211.55.0/24, "fd00::/64"]
switch:
  hairpin: {node1: on, node2: unknown}
  vlans: [1, 10]
  driver: {bridge: {host: s, device: br0, ports: {node1: a, node2: b}}}
`;
const identity = { pid: 4194305, startTime: 12 };
const journal = [
  {
    ...{ journal: 1, created: '2026-11-21T08:15:00.123Z', owner: identity, boot: 'b', namespace: 'pid:[1]' },
    hosts: [{ address: { name: 'node1', host: '10.0.0.11', sudo: true }, nic: 'eth1' }],
  },
  { host: 'node1', up: 'boot', lab: 'pid:[2] 12' },
  { undo: 1, host: 'node1', commands: [['ip', 'link', 'delete', 'dev', 'm1']] },
  { undo: 2, host: 'node1', commands: [['ip', 'address', 'show']] },
  { undone: 1 },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');
const kept = JSON.stringify({
  ...{
    schema: 1,
    driver: 'sandbox',
    kernel: '6.1.0',
    created: '2026-11-21T08:15:00.123Z',
    keeper: identity,
    init: identity,
  },
  state: { init: 4194305, folder: '/nowhere', keys: {} },
});
const claim = JSON.stringify({ owner: identity, boot: 'b', namespace: 'pid:[1]', made: true, vagrant: identity });
const prepared = '{"box":"macvlab","file":"/b","kernel":"/k","initrd":"/i","arguments":"","release":"6.1"}';
const kernel = JSON.stringify({
  ...{
    release: '6.1.0-56-cloud-amd64',
    upstream: '6.1.192',
    version: '6.1.192-2',
    suites: ['bookworm'],
    labels: ['newest'],
  },
  ...{ packages: ['linux-image=6.1.192-2'], bytes: 1 },
});
/** For a YAML file with an error at every byte, the errors alone take quadratic time. */
const mostYaml = 1024;
const yamlWords = ['- ', ': ', '&a ', '*a', '!!int ', '{', '[', '|', '>', '? ', '---\n', '<<: ', '"', '\t'];

function bzImage(): Uint8Array {
  const image = Buffer.alloc(4096);
  image[0x1f1] = 1;
  image.writeUInt16LE(0xaa55, 0x1fe);
  image.write('HdrS', 0x202);
  image.writeUInt16LE(0x20f, 0x206);
  image.writeUInt16LE(0x400, 0x20e);
  image.writeUInt16LE(1, 0x236);
  image.writeUInt32LE(512, 0x248);
  image.writeUInt32LE(256, 0x24c);
  image.write('6.1.0 (who@where) #1 SMP\0', 0x600);
  return image;
}

/** Path of a docker context: it contains the digest of the context's name, here "remote". */
const meta = 'contexts/meta/b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a/meta.json';

export const fileTargets: readonly Target[] = [
  fileTarget({
    name: 'run.json',
    seeds: [run],
    codes: ['USAGE'],
    file: 'run.json',
    beside: { 'records/1.json': record },
    read: readRun,
    json: true,
  }),
  fileTarget({
    name: 'a test’s record',
    seeds: [record],
    codes: ['USAGE'],
    file: 'records/1.json',
    beside: { 'run.json': run },
    read: readRun,
    json: true,
  }),
  fileTarget({
    name: 'matrix.json',
    seeds: [matrix],
    codes: ['USAGE'],
    file: 'matrix.json',
    read: readMatrix,
    json: true,
  }),
  fileTarget({
    name: 'a baseline',
    seeds: [baseline],
    codes: ['USAGE'],
    file: 'b.json',
    read: (folder) => readBaseline(join(folder, 'b.json')),
    json: true,
  }),
  fileTarget({
    name: 'known differences',
    seeds: [known, '[]'],
    codes: ['USAGE'],
    file: 'k.yaml',
    read: (folder) => readKnownDifferences(join(folder, 'k.yaml')),
    words: yamlWords,
    longest: mostYaml,
  }),
  fileTarget({
    name: 'macvlab.config.yaml',
    seeds: [config],
    codes: ['USAGE'],
    file: 'c.yaml',
    read: (folder) => readConfig(join(folder, 'c.yaml')),
    words: yamlWords,
    longest: mostYaml,
  }),
  fileTarget({
    name: 'vagrant/settings.yaml',
    seeds: [settings],
    codes: ['USAGE'],
    file: 's.yaml',
    read: (folder) => readSettings({ MACVLAB_VAGRANT_SETTINGS: join(folder, 's.yaml') }),
    words: yamlWords,
    longest: mostYaml,
  }),
  fileTarget({
    name: 'an inventory',
    seeds: [inventory],
    codes: ['USAGE', 'HOST_ADDRESSES'],
    file: 'i.yaml',
    read: (folder) => readInventory(join(folder, 'i.yaml')),
    words: yamlWords,
    longest: mostYaml,
  }),
  fileTarget({
    name: 'a journal of changes',
    seeds: [journal],
    codes: [],
    file: 'j.jsonl',
    read: (folder) => readJournal(join(folder, 'j.jsonl')),
    words: ['\n', '{"undo":', '{"undone":1}\n', '{"host":"node1","up":"'],
    longest: 65_536,
  }),
  fileTarget({
    name: 'a lab’s state',
    seeds: [kept],
    codes: [],
    file: 'lab1.json',
    variables: ['MACVLAB_STATE'],
    read: () => [listDetached().map(({ alive }) => alive), listDamaged().length],
    json: true,
  }),
  fileTarget({
    name: 'a claim on machines',
    seeds: [claim],
    codes: ['LAB_OPEN'],
    file: 'macvlab.json',
    variables: ['VAGRANT_DOTFILE_PATH'],
    read: readClaim,
    json: true,
  }),
  fileTarget({
    name: 'what is prepared for Vagrant',
    seeds: [prepared],
    codes: [],
    file: 'vagrant/prepared/default.json',
    variables: ['MACVLAB_CACHE'],
    read: () => findPrepared(undefined),
    json: true,
  }),
  fileTarget({
    ...{
      name: 'a kernel in the cache',
      seeds: [kernel],
      codes: [],
      file: 'kernels/k/kernel.json',
      variables: ['MACVLAB_CACHE'],
      json: true,
    },
    beside: {
      'kernels/k/vmlinuz': '',
      'kernels/k/config': '',
      'kernels/k/lib/modules/6.1.0-56-cloud-amd64/modules.dep': '',
    },
    read: () => kernelsMeant(cachedKernels(), '6.1'),
  }),
  fileTarget({
    ...{
      name: 'docker’s configuration',
      seeds: ['{"currentContext":"default"}'],
      codes: ['ENGINE_MISSING'],
      file: 'config.json',
      json: true,
    },
    read: (folder) => findEngine({ DOCKER_CONFIG: folder, HOME: folder })?.host,
  }),
  fileTarget({
    ...{ name: 'a context of docker', file: meta, codes: ['ENGINE_MISSING'], json: true },
    seeds: ['unix:///var/run/docker.sock', 'tcp://192.0.2.1:2376'].map((Host) =>
      JSON.stringify({ Endpoints: { docker: { Host } } }),
    ),
    read: (folder) => {
      const address = findEngine({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'remote', HOME: folder });
      return address && new Engine(address).isPlain;
    },
  }),
  fileTarget({
    name: 'bzImage',
    seeds: [bzImage()],
    codes: ['KERNEL_UNKNOWN', 'KERNEL_UNSUITABLE'],
    file: 'bzImage',
    read: (folder) => readBzImage(join(folder, 'bzImage')),
  }),
];
