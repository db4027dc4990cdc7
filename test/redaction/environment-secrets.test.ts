import { describe, expect, it } from 'vitest';
import { secretsOfEnvironment } from '../../src/redaction/environment-secrets.ts';

describe('a variable of our environment', () => {
  it.each([
    'GITHUB_TOKEN',
    'PGPASSWORD',
    'MYSQL_PWD',
    'DB_PASS',
    'AWS_SECRET_ACCESS_KEY',
    'OPENAI_API_KEY',
    'apikey',
    'CLIENT_SECRET',
    'DEPLOY_PRIVATE_KEY',
    'REGISTRY_CREDENTIALS',
    'NPM_TOKEN_2',
  ])('named %s holds a secret', (name) => expect(secretsOfEnvironment({ [name]: 'f3a9c1d27b64' })).toEqual(['f3a9c1d27b64']));

  it.each([
    ['PATH', '/usr/bin:/bin'],
    ['PWD', '/home/me/project'],
    ['MAX_TOKENS', '100000000'],
    ['TOKENIZERS_PARALLELISM', 'disabled'],
    ['SSH_KEY_PATH', '/home/me/.ssh/id'],
    ['GOOGLE_APPLICATION_CREDENTIALS', '/home/me/key.json'],
    ['DB_PASSWORD', 'short'],
    ['POSTGRES_PASSWORD', 'postgres'],
    ['MYSQL_PASSWORD', 'changeme'],
    ['UNSET_TOKEN', undefined],
  ])('%s=%s holds none', (name, value) => expect(secretsOfEnvironment({ [name]: value })).toEqual([]));
});
