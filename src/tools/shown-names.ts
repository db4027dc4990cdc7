const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** A name with line breaks or terminal escapes is quoted: it must not look like something else. */
export function inOneLine(name: string): string {
  if (!UNSHOWABLE.test(name)) return name;
  return JSON.stringify(name).replace(new RegExp(UNSHOWABLE, 'gu'), escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
