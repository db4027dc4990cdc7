import { expect, test } from 'vitest';
import { compileGlob } from '../../src/backends/glob.ts';

const matches = (pattern: string, path: string, caseSensitive = true) => compileGlob(pattern, caseSensitive)(path);

test.each([
  ['*.ts', 'a.ts', true],
  ['*.ts', 'deep/down/a.ts', true],
  ['*.ts', 'a.tsx', false],
  ['*.ts', '.hidden.ts', true],
  ['?.ts', 'é.ts', true],
  ['?.ts', '😀.ts', true],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['[]]x', ']x', true],
  ['*.{ts,js}', 'a.js', true],
  ['{a,b{c,d}}.ts', 'bd.ts', true],
  ['{plain}', '{plain}', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['src/*.ts', 'src/a.ts', true],
  ['src/*.ts', 'src/b/a.ts', false],
  ['src/**/*.ts', 'src/a.ts', true],
  ['src/**/*.ts', 'src/b/c/a.ts', true],
  ['**/test/**', 'a/test/b/c', true],
  ['**/test/**', 'a/test', false],
  ['src/', 'src/a/b', true],
  ['./a', 'a', true],
  ['/a', 'b/a', false],
  ['a*b*c', 'a_c_b_c', true],
  ['a b\n*', 'a b\nc', true],
])('the glob %j on %j: %j', (pattern, path, expected) => {
  expect(matches(pattern, path)).toBe(expected);
});

test('case is ignored when asked', () => {
  expect(matches('README*', 'readme.md')).toBe(false);
  expect(matches('README*', 'readme.md', false)).toBe(true);
});

test('a pattern made to be slow is not', () => {
  const started = performance.now();
  expect(matches(`${'*a'.repeat(60)}b`, 'a'.repeat(250))).toBe(false);
  expect(matches(`${'**/a/'.repeat(40)}b`, 'a/'.repeat(400))).toBe(false);
  expect(performance.now() - started).toBeLessThan(500);
});

test('a pattern that cannot be read says why', () => {
  expect(() => compileGlob('[a', true)).toThrow(/a \[ has no \]/);
  expect(() => compileGlob('{a,b}'.repeat(10), true)).toThrow(/more than 256/);
});
