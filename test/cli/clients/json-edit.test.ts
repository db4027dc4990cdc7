import { describe, expect, it } from 'vitest';
import { openJson } from '../../../src/cli/clients/json-edit.ts';

const edit = async (text: string, keys: string[], value: unknown, comments = true) =>
  (await openJson(text, { comments })).set(keys, value).text;
const without = async (text: string, keys: string[]) => (await openJson(text, { comments: true })).remove(keys).text;

describe('setting a property in JSON text', () => {
  it('makes the objects on the way in an empty file', async () => {
    expect(await edit('', ['servers', 'us'], { url: 'x' })).toBe(
      '{\n  "servers": {\n    "us": {\n      "url": "x"\n    }\n  }\n}\n',
    );
  });

  it('goes after the last property with the indentation of the file, tabs too', async () => {
    expect(await edit('{\n\t"a": 1\n}\n', ['b'], { c: 2 })).toBe('{\n\t"a": 1,\n\t"b": {\n\t\t"c": 2\n\t}\n}\n');
    expect(await edit('{\n    "a": {\n        "x": 1\n    }\n}', ['a', 'y'], 2)).toBe(
      '{\n    "a": {\n        "x": 1,\n        "y": 2\n    }\n}',
    );
  });

  it('leaves comments where they are, also between the last value and the end', async () => {
    const text = '{\n  // first\n  "a": 1 // one\n  /* last */\n}\n';
    expect(await edit(text, ['b'], 2)).toBe('{\n  // first\n  "a": 1, // one\n  /* last */\n  "b": 2\n}\n');
  });

  it('keeps trailing commas, Windows line ends, byte order marks and single lines', async () => {
    expect(await edit('{\n  "a": 1,\n}\n', ['b'], 2)).toBe('{\n  "a": 1,\n  "b": 2,\n}\n');
    expect(await edit('{\r\n  "a": 1\r\n}\r\n', ['b'], { c: 2 })).toBe(
      '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 2\r\n  }\r\n}\r\n',
    );
    expect(await edit('\uFEFF{"a": 1}', ['b'], 2)).toBe('\uFEFF{"a": 1, "b": 2}');
    expect(await edit('{"a":{"b":1},"z":[1,2]}', ['a', 'c'], 2)).toBe('{"a":{"b":1, "c": 2},"z":[1,2]}');
  });

  it('replaces a value and nothing beside it', async () => {
    expect(await edit('{\n  "a": [1,2], // list\n  "b": 1\n}', ['a'], [3])).toBe('{\n  "a": [\n    3\n  ], // list\n  "b": 1\n}');
  });

  it('tells line and column of what is not JSON', async () => {
    await expect(openJson('{\n  "a": 1\n  "b": 2\n}', { comments: true })).rejects.toMatchObject({ line: 3, column: 3 });
    await expect(openJson('{ // no\n}', { comments: false })).rejects.toMatchObject({ line: 1, column: 3 });
    await expect(openJson('[]', { comments: true })).rejects.toThrow('not a JSON object');
    await expect(openJson('{"a": {}, "a": {}}', { comments: true })).rejects.toThrow('the key "a" is there twice');
    await expect(edit('{"a": 1}', ['a', 'b'], 2)).rejects.toThrow('"a" is not an object');
  });
});

describe('removing a property from JSON text', () => {
  it('takes its lines and its comma, wherever it stands', async () => {
    const text = '{\n  // one\n  "a": 1,\n  // two\n  "b": {\n    "x": 1\n  },\n  // three\n  "c": 3 // end\n}\n';
    expect(await without(text, ['a'])).toBe(
      '{\n  // one\n  // two\n  "b": {\n    "x": 1\n  },\n  // three\n  "c": 3 // end\n}\n',
    );
    expect(await without(text, ['b'])).toBe('{\n  // one\n  "a": 1,\n  // two\n  // three\n  "c": 3 // end\n}\n');
    expect(await without(text, ['c'])).toBe(
      '{\n  // one\n  "a": 1,\n  // two\n  "b": {\n    "x": 1\n  }\n  // three\n   // end\n}\n',
    );
  });

  it('undoes what setting did, on one line and on many', async () => {
    for (const text of ['{"a": 1}', '{\n  "a": 1\n}\n', '{\n  "a": 1,\n}\n', '{}']) {
      expect(await without(await edit(text, ['b'], { c: 1 }), ['b'])).toBe(text);
    }
  });

  it('changes nothing where the property is not', async () => {
    expect(await without('{ "a" : 1 }', ['b', 'c'])).toBe('{ "a" : 1 }');
  });
});
