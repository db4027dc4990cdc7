import { describe, expect, it } from 'vitest';
import { configJsonSchema, configKeys, redactConfig, valueAt } from '../../src/config/keys.ts';
import { configSchema, PATH_KEYS } from '../../src/config/schema.ts';
import { SESSION_VERSIONS } from '../../src/protocol/versions.ts';

describe('the keys of the configuration', () => {
  it('each have a description, a default, a type and a variable of their own', () => {
    const keys = configKeys();
    for (const each of keys) {
      expect(each.description, each.key).toMatch(/\.$/);
      expect(each.default, each.key).not.toBeUndefined();
      expect(each.type, each.key).toMatch(
        /^(integer|size|seconds|string|boolean|list of strings|list of sections|[\w-]+(, [\w-]+)*)$/,
      );
      expect(each.environment).toBe(`MCP_PYTHON_${each.key.replaceAll('.', '_').toUpperCase()}`);
    }
    expect(new Set(keys.map(({ environment }) => environment)).size).toBe(keys.length);
  });

  it('have defaults that the schema accepts and fills in', () => {
    const defaults = configSchema.parse({});
    for (const { key, default: initial } of configKeys()) expect(valueAt(defaults, key)).toEqual(initial);
    expect(configSchema.parse(defaults)).toEqual(defaults);
  });

  it('tell their type and what they take', () => {
    const byKey = Object.fromEntries(configKeys().map(({ key, type, accepts }) => [key, { type, accepts }]));
    expect(byKey).toMatchObject({
      'server.mcp_http_port': { type: 'integer', accepts: 'a whole number from 0 to 65535' },
      'server.max_body_bytes': { type: 'size' },
      'execution.timeout': { type: 'seconds' },
      'execution.mode': { type: expect.stringContaining('native'), accepts: expect.stringContaining('one of native') },
      'log.level': { type: 'debug, info, warn, error', accepts: 'one of debug, info, warn, error' },
      'tools.disabled': { type: 'list of strings' },
    });
  });

  it('offer the revisions the protocol speaks', () => {
    const version = configKeys().find(({ key }) => key === 'server.version');
    expect(version?.type.split(', ')).toEqual(SESSION_VERSIONS);
  });

  it('exist where they hold paths', () => {
    const names = configKeys().map(({ key }) => key);
    for (const key of PATH_KEYS) expect(names).toContain(key);
  });
});

describe('the JSON Schema of the configuration', () => {
  it('refuses unknown keys, and takes sizes as numbers or text', () => {
    const schema = JSON.parse(JSON.stringify(configJsonSchema()));
    expect(schema.additionalProperties).toBe(false);
    const size = schema.properties.server.properties.max_body_bytes;
    expect(size.anyOf.map(({ type }: { type: string }) => type)).toEqual(['integer', 'string']);
    const [, text] = size.anyOf;
    expect('4MiB').toMatch(new RegExp(text.pattern));
    expect('4XB').not.toMatch(new RegExp(text.pattern));
  });

  it('has standard keywords only', () => {
    const text = JSON.stringify(configJsonSchema());
    expect(text).not.toContain('"unit"');
    expect(text).not.toContain('"secret"');
  });
});

describe('the redacted configuration', () => {
  it('is a copy with nothing left out but secrets', () => {
    const config = configSchema.parse({});
    const redacted = redactConfig(config);
    expect(redacted).toEqual(config);
    expect(redacted).not.toBe(config);
  });
});
