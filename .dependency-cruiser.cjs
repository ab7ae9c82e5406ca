/**
 * Import boundaries, as data. The layers from top to bottom (docs/architecture.md); imports point only downward.
 * Two layers are beside the list: harness/setup, which runs before anything is installed, and bench, which may import
 * everything and which nothing imports.
 */
const layers = [
  'suites',
  'harness/proof',
  'harness/cli',
  'harness/report',
  'harness/matrix',
  'harness/run',
  'harness/expect',
  'harness/switch-port',
  'harness/lab',
  'harness/exchange',
  'harness/machine',
  'harness/image',
  'harness/address-plan',
  'harness/kernel',
  'harness/engine',
  'harness/wire',
  'harness/probe',
  'harness/link',
  'harness/remote',
  'harness/core',
];

/**
 * Who may import harness/setup: `macvlab doctor` and a lab's check name the same programs and packages as the set-up; an engine for
 * tests is started there, and its lock is that of claims, too.
 */
const setupReaders = [
  'harness/setup',
  'harness/proof',
  'harness/cli',
  'harness/machine',
  'harness/image',
  'harness/kernel',
  'harness/remote',
  'harness/core',
  'bench',
];

/** Who may import harness/expect: it is made for tests, and the runner installs it. */
const expectReaders = ['harness/expect', 'harness/run', 'suites', 'bench'];

/** @param {string[]} folders */
const under = (folders) => `^(?:${folders.join('|')})/`;

const upward = layers.slice(1).map((layer, index) => ({
  name: `${layer}-imports-downward`,
  comment: `${layer} may only import layers below it: ${layers.slice(index + 2).join(', ') || 'none'}.`,
  severity: 'error',
  // a test may open a whole lab
  from: { path: under([layer]), pathNot: '\\.test(-support)?\\.ts$' },
  // test support, such as a real sandbox to test a session with, may come from any layer
  to: { path: under(layers.slice(0, index + 1)), pathNot: '\\.test-support\\.ts$' },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'setup-readers',
      comment: 'Only the command line, the audit and the labs ask the set-up which programs are needed.',
      severity: 'error',
      from: { pathNot: under(setupReaders) },
      // what helps tests, such as skipping with a reason
      to: { path: '^harness/setup/', pathNot: '\\.test-support\\.ts$' },
    },
    {
      name: 'setup-needs-nothing',
      comment: "The set-up runs before anything is installed or built: Node's own modules and its own files only.",
      severity: 'error',
      // its tests run inside mocha, after the set-up
      from: { path: '^harness/setup/', pathNot: '\\.test(-support)?\\.ts$' },
      to: { pathNot: '^harness/setup/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'expect-readers',
      comment: 'What a test may say is said in tests; the rest of the harness calls the layers below directly.',
      severity: 'error',
      from: { pathNot: under(expectReaders) },
      to: { path: '^harness/expect/' },
    },
    {
      name: 'drivers-are-independent',
      comment:
        'A driver imports no other driver. Shared code belongs in harness/machine/ or in one of its other folders.',
      severity: 'error',
      from: { path: '^harness/machine/(sandbox|vm|container|vagrant|inventory)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^harness/machine/(?:sandbox|vm|container|vagrant|inventory)/', pathNot: '^harness/machine/$1/' },
    },
    {
      name: 'nothing-imports-bench',
      comment: 'Measurements look at everything; nothing depends on them.',
      severity: 'error',
      from: { pathNot: '^bench/' },
      to: { path: '^bench/' },
    },
    {
      name: 'tests-are-not-imported',
      comment: 'Helpers of tests live in files of their own, *.test-support.ts, which only tests import.',
      severity: 'error',
      from: {},
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'test-support-is-for-tests',
      comment: 'What a test needs is no part of the harness; proofs and measurements are tests, too.',
      severity: 'error',
      from: { pathNot: '\\.test(-support)?\\.ts$|^(?:harness/proof|bench)/' },
      to: { path: '\\.test-support\\.ts$' },
    },
    {
      name: 'no-circular',
      comment: 'Two files that import each other, types included, are one subject or contain a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import of a file or package that is not there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages',
      comment:
        'Packages that are used are named in package.json, and those that are shipped not among devDependencies.',
      severity: 'error',
      from: { path: '^harness/', pathNot: '\\.test(-support)?\\.ts$' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        pathNot: '@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
