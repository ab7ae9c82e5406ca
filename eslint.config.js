import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Files that may set timers, each with the reason. Everything else waits through harness/core/wait.ts. */
const timerExceptions = [
  // the one home of waiting
  'harness/core/wait.ts',
  'harness/core/wait.alone.test.ts',
];

const useWait = 'Waiting has one home: use within() or Changes of harness/core/wait.ts.';

const chosenOrSkipped = {
  selector: 'MemberExpression[object.name=/^(describe|it|context)$/][property.name=/^(only|skip)$/]',
  message: 'Neither .only nor .skip is committed: the other tests would silently not run.',
};

const testFiles = ['suites/**/*.ts', '**/*.test.ts', '**/*.test-support.ts'];

export default defineConfig(
  globalIgnores(['dist/', 'reports/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mjs'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // the compiler knows better which names there are (checkJs)
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // a number or a boolean in a message reads as it should
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => resolve()` and the like are the short form of what they do
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // `??=` and `||` differ, and an empty string as "none" is often meant
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // `reject(reason as Error)`: a reason is unknown by its type, and an error by what we put there
      '@typescript-eslint/no-unnecessary-type-assertion': ['error', { typesToIgnore: ['Error'] }],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: useWait },
        { name: 'setInterval', message: useWait },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: ['timers', 'node:timers', 'timers/promises', 'node:timers/promises'].map((name) => ({
            name,
            message: useWait,
          })),
        },
      ],
      eqeqeq: 'error',
      'object-shorthand': 'error',
      'prefer-template': 'error',
    },
  },
  {
    files: timerExceptions,
    rules: { 'no-restricted-globals': 'off', 'no-restricted-imports': 'off' },
  },
  {
    files: testFiles,
    rules: {
      // chai's `expect(x).to.be.true`
      '@typescript-eslint/no-unused-expressions': 'off',
      // a test may state what its types promise, and take what it has just shown to be there
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // an experiment must be performed, and as a whole: what is left out of a run is left out by the command line
    files: testFiles,
    rules: {
      'no-restricted-syntax': ['error', chosenOrSkipped],
    },
  },
  {
    files: ['suites/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        chosenOrSkipped,
        {
          selector: 'CallExpression[callee.name="expect"][arguments.0.type="Literal"]',
          message: 'An assertion about a constant proves nothing.',
        },
      ],
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'writable' } },
  },
);
