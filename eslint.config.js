import parser from '@typescript-eslint/parser';
import realtime from './lint/realtime.js';

const TYPESCRIPT = ['**/*.ts'];
const lines = (max) => ({ 'max-lines': ['error', { max }] });

// Types, unused names and missing returns are tsc's business.
export default [
  { ignores: ['dist/', 'node_modules/', 'coverage/'] },
  { files: TYPESCRIPT, languageOptions: { parser } },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-control-regex': 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-shadow-restricted-names': 'error',
      'no-throw-literal': 'error',
      'no-unsafe-finally': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'require-yield': 'error',
      'use-isnan': 'error',
    },
  },
  // Tests of what a terminal gets to see look for exactly that.
  { files: ['test/**/*.ts'], rules: { 'no-control-regex': 'off' } },
  { files: ['src/**/*.ts'], rules: lines(400) },
  { files: ['modules/**/*.ts'], rules: lines(250) },
  {
    files: ['src/realtime/**/*.ts', 'src/shared/**/*.ts'],
    plugins: { realtime },
    rules: { 'realtime/no-allocation': 'error' },
  },
];
