import { isReference } from './literal-values.ts';
import type { Shape } from './shape.ts';

/** The header, in the ways programs and logs write it, and what its scheme is (RFC 9110, section 11.6.2). */
const HEADER =
  /authorization\\?["'`]?\]?[ \t]{0,8}(?:(?:[:=]|=>)[ \t]{0,8}\\?["'`]?|,[ \t]{0,8}\\?["'`])(?:(basic|bearer|token|digest|negotiate|apikey)[ \t]{1,8})?([A-Za-z0-9._~+/=-]{8,4096})/iy;
/** A token without its header: longer, for talk about bearers is common. */
const BEARER = /(bearer)[ \t]{1,8}([A-Za-z0-9._~+/=-]{16,4096})/iy;

/** Credentials in headers: the scheme stays. */
export const AUTHORIZATION_SHAPES: readonly Shape[] = [shape('authorization', HEADER), shape('bearer ', BEARER)];

function shape(anchor: string, pattern: RegExp): Shape {
  return {
    anchors: [anchor],
    find(text, at) {
      pattern.lastIndex = at;
      const [, scheme = '', value] = pattern.exec(text) ?? [];
      if (value === undefined || isReference(value) || !looksEncoded(value, /^basic$/i.test(scheme))) return undefined;
      const end = pattern.lastIndex;
      return { start: end - value.length, end, kind: 'authorization' };
    },
  };
}

/** Names of variables and members have no digits, or hold words together with dots. */
function looksEncoded(value: string, isBase64: boolean): boolean {
  if (/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/.test(value) && value.length < 32) return false;
  return /\d|=$/.test(value) || (isBase64 && value.length % 4 === 0 && /[a-z].*[A-Z]|[A-Z].*[a-z].*[A-Z]/.test(value));
}
