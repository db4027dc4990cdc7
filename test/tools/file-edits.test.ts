import { describe, expect, test } from 'vitest';
import { applyEdits, type Edit } from '../../src/tools/file-edits.ts';

const edit = (old_text: string, new_text: string, replace_all?: boolean): Edit => ({ old_text, new_text, replace_all });
const apply = (text: string, ...edits: Edit[]) => applyEdits(text, edits).text;

test('edits are applied in order, each to what the one before left', () => {
  expect(apply('one two three\n', edit('two', '2'), edit('2 three', '2 3'))).toBe('one 2 3\n');
});

test('a text that occurs twice is refused with its lines, overlapping ones included', () => {
  expect(() => apply('a\nb\na\n', edit('a', 'x'))).toThrow(/occurs 2 times, at lines 1, 3/);
  expect(() => apply('aaa', edit('aa', 'x'))).toThrow(/occurs 2 times/);
});

test('replace_all replaces every occurrence and counts them', () => {
  expect(applyEdits('a b a b a', [edit('a', 'aa', true)])).toEqual({ text: 'aa b aa b aa', replacements: 3 });
});

test('a replacement is taken literally, and may be empty', () => {
  expect(apply('cost: X', edit('X', '$& $1 $$'))).toBe('cost: $& $1 $$');
  expect(apply('keep drop', edit(' drop', ''))).toBe('keep');
});

test('one edit that does not fit leaves nothing applied', () => {
  expect(() => apply('a b', edit('a', 'x'), edit('missing', 'y'))).toThrow(/edit 2 of 2 is not in the file/);
});

describe('line endings', () => {
  test('a line feed finds the ending of a CRLF file, and what is put in gets it', () => {
    expect(apply('a\r\nb\r\nc\r\n', edit('a\nb\n', 'x\ny\nz\n'))).toBe('x\r\ny\r\nz\r\nc\r\n');
    expect(apply('a\r\nb\r\n', edit('a\r\nb', 'x\r\ny'))).toBe('x\r\ny\r\n');
  });

  test('the edges of a match may lie between the two characters of an ending', () => {
    expect(apply('a\r\nb\r\nc', edit('\nb', '\nB'))).toBe('a\r\nB\r\nc');
    expect(apply('a\r\nb\r\nc', edit('b\n', ''))).toBe('a\r\nc');
    expect(apply('a\r\n\r\nb\r\n', edit('\n\n', '\n'))).toBe('a\r\nb\r\n');
  });

  test('in a file with both, what is not touched keeps its own', () => {
    expect(apply('a\nb\r\nc\r\nd\ne\r\n', edit('c\nd', 'C\nD'))).toBe('a\nb\r\nC\r\nD\ne\r\n');
    expect(apply('a\r\nx\nb\r\nx\n\r\n', edit('x\n', 'y\n', true))).toBe('a\r\ny\r\nb\r\ny\r\n\r\n');
  });

  test('a file without a line break takes the new ones as they are, and a missing last one stays missing', () => {
    expect(apply('a', edit('a', 'a\r\nb'))).toBe('a\r\nb');
    expect(apply('a\nb', edit('b', 'c'))).toBe('a\nc');
  });
});

describe('when a text is not there, it is said why', () => {
  test('it differs by white space only', () => {
    expect(() => apply('x\n\tif (a)  {\n\t\tb();\n', edit('if (a) {\n    b();', ''))).toThrow(
      /Line 2 differs from it only by white space:\n2: \tif \(a\) {2}\{/,
    );
  });

  test('the new text is already there', () => {
    expect(() => apply('x\nnew name\n', edit('old name', 'new name'))).toThrow(/already there, at line 2/);
  });

  test('these lines look like it', () => {
    expect(() => apply('alpha\nconst total = count(items);\nomega\n', edit('const total = sum(items);', 'y'))).toThrow(
      /The most similar lines:\n2: const total = count\(items\);/,
    );
  });

  test('nothing looks like it', () => {
    expect(() => apply('alpha\n', edit('zzzzzz', 'y'))).toThrow(/No line looks like it/);
  });
});

test('an empty old text and edits without effect are refused', () => {
  expect(() => apply('a', edit('', 'b'))).toThrow(/old_text is empty/);
  expect(() => apply('a', edit('a', 'a'))).toThrow(/change nothing/);
});

test('a wrong edit of a large file is answered soon', () => {
  const text = 'some line of ordinary length, number seven\n'.repeat(200_000);
  const started = performance.now();
  expect(() => apply(text, edit('some lines of unusual length', 'y'))).toThrow(/similar/);
  expect(performance.now() - started).toBeLessThan(3000);
});
