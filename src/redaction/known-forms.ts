/** The forms in which a known secret turns up in text. */

/** Characters a secret must have to be masked: shorter ones are in every other word. */
export const SHORTEST_SECRET = 6;
/** Characters of a line of a longer secret (a key file, a certificate) that is masked by itself. */
const SHORTEST_LINE = 16;

/**
 * As it is, in URLs (RFC 3986), in JSON strings, in base64 of both alphabets (RFC 4648) wherever in the encoded bytes it
 * stands, as UTF-8 read byte by byte, and the lines of one that has several.
 */
export function formsOf(secret: string): readonly string[] {
  const given = secret.trim();
  if (given.length < SHORTEST_SECRET) return [];
  const lines = given.includes('\n') ? given.split(/\r?\n/).map((line) => line.trim()) : [];
  const longLines = lines.filter((line) => line.length >= SHORTEST_LINE && !line.startsWith('-----'));
  const forms = [given, ...longLines].flatMap((text) => [text, ...encodingsOf(text)]);
  return [...new Set(forms)].filter((form) => form.length >= SHORTEST_SECRET);
}

function encodingsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'utf8');
  const json = JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(text.toWellFormed());
  return [
    json,
    // Once more for JSON within JSON.
    JSON.stringify(json).slice(1, -1),
    url,
    url.replaceAll('%20', '+'),
    url.replaceAll(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase()),
    ...(/^[\0-\x7f]*$/.test(text) ? [] : [bytes.toString('latin1')]),
    ...[0, 1, 2].flatMap((before) => {
      const encoded = base64After(bytes, before);
      return [encoded, encoded.replaceAll('+', '-').replaceAll('/', '_')];
    }),
  ];
}

/** The base64 characters that hold nothing but bits of the secret, with so many bytes before it. */
function base64After(bytes: Buffer, before: number): string {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
