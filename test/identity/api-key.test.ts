import { describe, expect, it } from 'vitest';
import { apiKeyId, fitsHash, hashApiKey, newApiKey } from '../../src/identity/api-key.ts';
import { createRedactor } from '../../src/redaction/redactor.ts';

describe('the text of an API key', () => {
  it('starts with mcpp_ and its id, and holds at least 256 random bits', () => {
    const { id, text } = newApiKey();
    expect(text).toMatch(/^mcpp_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/);
    expect(text.slice(5, 13)).toBe(id);
    expect(43 * Math.log2(62)).toBeGreaterThanOrEqual(256);
  });

  it('is another each time, and uses every digit', () => {
    const texts = Array.from({ length: 200 }, () => newApiKey().text);
    expect(new Set(texts).size).toBe(200);
    expect(new Set(texts.join('').replaceAll(/mcpp_|_/g, '')).size).toBe(62);
  });

  it('gives its id away only when every character is right', () => {
    const { id, text } = newApiKey();
    expect(apiKeyId(text)).toBe(id);
    for (let place = 0; place < text.length; place++) {
      const other = text[place] === 'x' ? 'y' : 'x';
      expect(apiKeyId(text.slice(0, place) + other + text.slice(place + 1)), `place ${place}`).toBeUndefined();
    }
  });

  it.each(['', 'mcpp_', 'Bearer', 'mcpp_12345678_short'])('is not "%s"', (text) => {
    expect(apiKeyId(text)).toBeUndefined();
  });

  it('is neither longer nor shorter', () => {
    const { text } = newApiKey();
    for (const other of [text.slice(1), text.slice(0, -1), `${text}0`, `${text}\n`, ` ${text}`])
      expect(apiKeyId(other)).toBeUndefined();
  });

  it('is taken out of whatever is shown or logged', () => {
    const { text } = newApiKey();
    const shown = createRedactor(() => []).text(`It said ${text}, and then: {"key":"${text}"}`);
    expect(shown).not.toContain(text.slice(14, 40));
  });
});

describe('the hash of an API key', () => {
  it('fits that key only', () => {
    const [one, other] = [newApiKey().text, newApiKey().text];
    const hash = hashApiKey(one);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(fitsHash(one, hash)).toBe(true);
    expect(fitsHash(other, hash)).toBe(false);
    expect(fitsHash(one, '')).toBe(false);
    expect(fitsHash(one, hash.slice(2))).toBe(false);
  });
});
