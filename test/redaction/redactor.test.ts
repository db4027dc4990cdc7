import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/redaction/redactor.ts';

const { text, json, spans } = createRedactor(() => []);
const base64Url = (value: string) => Buffer.from(value).toString('base64url');
const random = (length: number) => 'a1B2c3D4e5'.repeat(length).slice(0, length);
const JWT = `${base64Url('{"alg":"HS256"}')}.${base64Url('{"sub":"1"}')}.${random(43)}`;
const BODY = `${'MIIEpAIBAAKCAQEA'.repeat(4)}\n`.repeat(9);
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${BODY}TAIL==\n-----END RSA PRIVATE KEY-----`;

describe('a credential is masked by its shape, and the mask says which it was:', () => {
  it.each([
    ['aws-access-key-id', 'AKIAIOSFODNN7EXAMPLE'],
    ['aws-access-key-id', 'ASIA1234567890ABCDEF'],
    ['github-token', `ghp_${random(36)}`],
    ['github-token', `gho_${random(36)}`],
    ['github-token', `ghs_${random(36)}`],
    ['github-token', `github_pat_${random(22)}_${random(59)}`],
    ['gitlab-token', `glpat-${random(20)}`],
    ['slack-token', 'xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOp'],
    ['slack-token', 'xoxp-123456789012-abcdef'],
    ['slack-webhook', `hooks.slack.com/services/T00000000/B00000000/${random(24)}`],
    ['stripe-key', `sk_live_${random(24)}`],
    ['openai-key', `sk-${random(48)}`],
    ['openai-key', `sk-proj-${random(20)}-${random(20)}_x`],
    ['anthropic-key', `sk-ant-api03-${random(90)}-AA`],
    ['google-key', `AIza${random(35)}`],
    ['npm-token', `npm_${random(36)}`],
    ['pypi-token', `pypi-AgEIcHlwaS5vcmc${random(60)}`],
    ['json-web-token', JWT],
    ['mcp-python-key', `mcpp_${random(40)}`],
    ['private-key', PEM],
    ['private-key', PEM.replaceAll('RSA ', 'ENCRYPTED ')],
    ['private-key', PEM.replaceAll('RSA ', 'OPENSSH ').replaceAll('\n', '\\n')],
    ['private-key', PEM.replace('KEY-----\n', 'KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n')],
    ['private-key', PEM.replaceAll('\n', '\r\n')],
  ])('%s %s', (kind, secret) => {
    for (const [before, after] of [
      ['', ''],
      ['x ', ' y'],
      ['key="', '"'],
      ['(', ')'],
      ['\n', '\n'],
      ['a=', ';b'],
    ]) {
      expect(text(before + secret + after)).toBe(`${before}[redacted:${kind}]${after}`);
    }
  });

  it.each([
    ['postgres://me:p4ss-w0rd@host/db', 'postgres://me:[redacted:password]@host/db'],
    ['redis://:hunter2@host and http://u:x@y', 'redis://:[redacted:password]@host and http://u:[redacted:password]@y'],
    ['Authorization: Bearer abc.def-123_456', 'Authorization: Bearer [redacted:authorization]'],
    ["-H 'authorization: Basic dXNlcjpwYXNz' x", "-H 'authorization: Basic [redacted:authorization]' x"],
    ["set('Authorization', 'Basic dXNlcjpwYXNz')", "set('Authorization', 'Basic [redacted:authorization]')"],
    ['"Authorization": "token 0123456789abcdef"', '"Authorization": "token [redacted:authorization]"'],
    ['using bearer 0123456789abcdef0123', 'using bearer [redacted:authorization]'],
    ['PGPASSWORD=hunter2 psql', 'PGPASSWORD=[redacted:password] psql'],
    ['export DB_PASSWORD="two words"', 'export DB_PASSWORD="[redacted:password]"'],
    ['AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'AWS_SECRET_ACCESS_KEY=[redacted:secret]'],
    ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_access_key = [redacted:secret]'],
    ['"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"', '"SecretAccessKey": "[redacted:secret]"'],
    ['host=db password=secret dbname=x', 'host=db password=[redacted:password] dbname=x'],
    ['Server=db;Password=correct;Trusted=no', 'Server=db;Password=[redacted:password];Trusted=no'],
    ['/login?user=a&password=hunter2&x=1', '/login?user=a&password=[redacted:password]&x=1'],
    ['mysql --password hunter2 -e x', 'mysql --password [redacted:password] -e x'],
    ['cmd --api-key=0123456789abcdef', 'cmd --api-key=[redacted:secret]'],
    ['{"password":"letmein","user":"me"}', '{"password":"[redacted:password]","user":"me"}'],
    ['{\\"password\\":\\"hunter2\\"}', '{\\"password\\":\\"[redacted:password]\\"}'],
    ["password: 'p4ssw0rd!'", "password: '[redacted:password]'"],
    ['db:\n  password: hunter2\n', 'db:\n  password: [redacted:password]\n'],
    ['Initial admin password: aB3dE6gH', 'Initial admin password: [redacted:password]'],
    ["const apiKey = 'f3a9c1d27b64e8905a1c';", "const apiKey = '[redacted:secret]';"],
    ['X-API-Key: f3a9c1d27b64e8905a1c', 'X-API-Key: [redacted:secret]'],
    [`${BODY}-----END PRIVATE KEY-----`, '[redacted:private-key]'],
    [PEM.slice(0, 400), '[redacted:private-key]'],
    [`+${PEM.replaceAll('\n', '\n+')}\n rest`, '+[redacted:private-key]\n rest'],
  ])('%s', (given, masked) => expect(text(given)).toBe(masked));
});

describe('what is no secret stays:', () => {
  it.each([
    'const password = getPassword();',
    'function login(user: string, password: string): Promise<Token>',
    'connect(user=user, password=password, token=token)',
    'password=os.environ["DB_PASSWORD"]',
    'const { token } = await auth.login({ password: form.password });',
    'token: z.string().min(1), password?: string;',
    'if (password === confirmation || token == null) return;',
    "type: 'password', placeholder: 'Password', autocomplete: 'current-password'",
    '"password": "Enter your password", "forgotPassword": "Forgot?"',
    'DB_PASSWORD=$DB_PASSWORD TOKEN=${TOKEN} KEY=$(cat key)',
    'password: ${{ secrets.DB_PASSWORD }}',
    'password: {{ vault_password }}',
    '--password <password>  the password to log in with',
    '--password PASSWORD, --token TOKEN',
    'postgres://user:${PASSWORD}@host http://user:<password>@host https://host:8080/a@b',
    'headers.Authorization = `Bearer ${token}`; // Authorization: Bearer <token>',
    'max_tokens: 4096, MAX_TOKENS=100000, token_count=12345678901234567890',
    'next_page_token=CAEQAA1234567890abcdefghij "nextToken": "0123456789abcdefghij"',
    'PWD=/home/me/project OLDPWD=/tmp/x1 SSH_KEY_PATH=/root/.ssh/id_rsa1',
    'commit 9fceb02d0ae598e95dc970b74767f19372d61af8',
    '550e8400-e29b-41d4-a716-446655440000',
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
    'task-0123456789abcdef0123456789abcdef sk-fading-circle-with-many-parts disk-usage',
    'npm_config_registry npm_lifecycle_event ghp_short xoxb-1 AKIASHORT',
    `ghp_${'x'.repeat(36)} sk-${'.'.repeat(30)}`,
    "if (line.startsWith('-----BEGIN PRIVATE KEY-----')) throw new Error('-----END PRIVATE KEY-----');",
    '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----',
    'import { exchangeAuthorization, exchangeJwtAuthGrant } from x; Authorization: Basic realm',
    'readonly STENCIL_PASS_DEPTH_PASS: 0x0B96; password_length: 12; DEPTH_PASS: 30s',
    'the password is wrong; the token has expired; a secret: nobody knows',
    'apiKey: process.env.API_KEY, secret: config.get("secret"), token: randomToken2()',
    '[redacted] password=[redacted:password] https://u:[redacted:password]@h',
  ])('%s', (given) => expect(text(given)).toBe(given));

  it('images and other bytes in base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 100, maxLength: 3000 }), (bytes) => {
        const encoded = Buffer.from(bytes).toString('base64');
        expect(text(encoded)).toBe(encoded);
      }),
      { numRuns: 300 },
    );
  });

  it('and is the same text, not a copy of it', () => {
    const value = { a: ['x', { b: 'y' }], n: 1, no: null };
    expect(json(value)).toBe(value);
  });
});

describe('a known secret', () => {
  const secret = 'tulip/Rain "42"+ü';
  const known = createRedactor(() => [secret]);

  it.each([
    ['as it is', secret],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', encodeURIComponent(secret).replaceAll('%20', '+')],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON within JSON', JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ['as UTF-8 read byte by byte', Buffer.from(secret).toString('latin1')],
  ])('is masked %s', (_, form) => expect(known.text(`a ${form}.`)).toBe('a [redacted].'));

  it('is masked in base64 of longer text, whatever stands around it', () => {
    for (const encoding of ['base64', 'base64url'] as const) {
      for (const before of ['', 'u', 'us', 'usr', 'user:']) {
        const encoded = Buffer.from(`${before}${secret}@x`).toString(encoding);
        const masked = known.text(encoded);
        expect(masked).toContain('[redacted]');
        expect(Buffer.from(masked.replace('[redacted]', ''), 'base64').toString()).not.toMatch(/tulip|Rain/);
      }
    }
  });

  it('is masked by its lines, where it has several', () => {
    const { text: mask } = createRedactor(() => [
      `-----BEGIN X-----\n${'first-line-of-it'}\n${'second-line-of-it'}\nx\n-----END X-----`,
    ]);
    expect(mask('> second-line-of-it <')).toBe('> [redacted] <');
    expect(mask('-----BEGIN X----- x')).toBe('-----BEGIN X----- x');
  });

  it('that is shorter than six characters is not: it would be in other words', () => {
    const { text: mask } = createRedactor(() => ['abcde', 'abcdef']);
    expect(mask('abcde abcdef')).toBe('abcde [redacted]');
  });

  it('is masked with another one that it overlaps', () => {
    expect(createRedactor(() => ['abcdefgh', 'efghijkl', 'efgh-no']).text('..abcdefghijkl..')).toBe('..[redacted]..');
  });

  it('is masked from the moment it is known, and its kind is told where its shape says it', () => {
    const late = createRedactor(() => []);
    const token = `ghp_${random(36)}`;
    const long = `${'clean '.repeat(400)}correct-horse`;
    expect(late.text(long)).toBe(long);
    late.addSecret('correct-horse');
    late.addSecret(token);
    expect(late.text(long)).toBe(`${'clean '.repeat(400)}[redacted]`);
    expect(late.text(token)).toBe('[redacted:github-token]');
  });

  it('never appears, wherever it is put', () => {
    const texts = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 60 }).filter((value) => value.trim().length >= 6);
    fc.assert(
      fc.property(
        fc.array(texts, { minLength: 1, maxLength: 8 }),
        fc.array(fc.string({ unit: 'grapheme' })),
        (secrets, others) => {
          const all = others.flatMap((other, index) => [other, secrets[index % secrets.length]]).join('');
          const masked = createRedactor(() => secrets)
            .text(all)
            .replaceAll('[redacted]', '\0');
          for (const value of secrets)
            if (value.trim().length >= 6 && !value.includes('\0')) expect(masked).not.toContain(value.trim());
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('JSON', () => {
  it('is masked in texts, keys, and values that their name tells', () => {
    const { json: mask } = createRedactor(() => ['blue-horse']);
    expect(
      mask({
        password: 'hunter2',
        list: ['a blue-horse', 1, { 'blue-horse': true }],
        apiKey: 'f3a9c1d27b64e8905a1c',
        token: 'abc',
      }),
    ).toEqual({
      password: '[redacted:password]',
      list: ['a [redacted]', 1, { '[redacted]': true }],
      apiKey: '[redacted:secret]',
      token: 'abc',
    });
  });
});

describe('any text', () => {
  const PIECES = [
    ...[
      'password',
      'token',
      'secret',
      'api_key',
      'Authorization: ',
      'Bearer ',
      '://',
      ':',
      '@',
      '=',
      '"',
      "'",
      '\\',
      ' ',
      '\n',
      '--',
    ],
    ...[
      'eyJ',
      '.eyJ',
      'AKIA',
      'ghp_',
      'github_pat_',
      'glpat-',
      'xoxb-',
      'sk-',
      'sk-ant-',
      'npm_',
      'pypi-',
      '-----BEGIN ',
      'PRIVATE KEY-----',
    ],
    ...['-----END ', 'A', 'a1', 'x'.repeat(40), '[redacted]', '${', '\u200b', 'ü'],
  ];
  const anyText = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string()), { maxLength: 40 }).map((pieces) => pieces.join(''));

  it('keeps the masks it has', () => {
    fc.assert(
      fc.property(anyText, (given) => {
        const once = text(given);
        for (const { start, end } of spans(once)) expect(once.slice(start, end)).not.toContain('[redacted');
      }),
      { numRuns: 1000 },
    );
  });

  it('takes time in proportion to its length', { timeout: 60_000 }, () => {
    // The best of some, for this process is not alone.
    const time = (given: string, tries: number) => {
      const times = Array.from({ length: tries }, () => {
        const startedMs = performance.now();
        text(given);
        return performance.now() - startedMs;
      });
      return Math.min(...times);
    };
    const pairs = PIECES.flatMap((one) => PIECES.map((other) => one + other));
    for (const piece of [...PIECES, ...pairs]) {
      const [small, large] = [5_000, 50_000].map((length) => piece.repeat(Math.ceil(length / piece.length))) as [string, string];
      if (time(large, 1) < 60) continue;
      // Were it quadratic, it would be a hundred times as long.
      expect(time(large, 3) / time(small, 3), JSON.stringify(piece)).toBeLessThan(30);
    }
  });
});
