import { expect, it } from 'vitest';
import { nearestName } from '../../src/config/nearest-name.ts';

const KNOWN = ['read_file', 'write_file', 'list_directory'];

it.each([
  ['read_fil', 'read_file'],
  ['readfile', 'read_file'],
  ['READ_FILE', 'read_file'],
  ['wrte_file', 'write_file'],
  ['list_dir', undefined],
  ['postgres_query', undefined],
  ['', undefined],
])('the known name nearest to "%s" is %s', (typed, expected) => {
  expect(nearestName(typed, KNOWN)).toBe(expected);
});

it('nothing is near when nothing is known', () => {
  expect(nearestName('read_file', [])).toBeUndefined();
});
