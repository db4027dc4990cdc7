/** Credentials that can be told by their own form. */
import type { Shape } from './shape.ts';

/** Before a token that begins with letters of every day: not the end of a longer word, which would be no token. */
const ALONE = '(?<![A-Za-z0-9])';
/** Also not within base64, whose letters are any letters. */
const OUT_OF_BASE64 = '(?<![A-Za-z0-9+/_-])';

/**
 * Kind, how it begins, and its whole form. No form is tried twice on the same characters, and none goes back: either the
 * prefix cannot stand within the rest, or what was found is passed over.
 */
const TOKENS: readonly (readonly [kind: string, anchors: readonly string[], form: string])[] = [
  ['aws-access-key-id', ['AKIA', 'ASIA'], `${OUT_OF_BASE64}A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9+/_])`],
  ['github-token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], 'gh[pousr]_[A-Za-z0-9]{30,}'],
  ['github-token', ['github_pat_'], 'github_pat_[A-Za-z0-9_]{22,}'],
  ['gitlab-token', ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-'], 'gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_.-]{18,}'],
  ['slack-token', ['xoxb-', 'xoxa-', 'xoxp-', 'xoxo-', 'xoxs-', 'xoxr-', 'xoxe-'], 'xox[abeoprs][.-][A-Za-z0-9.-]{10,}'],
  ['slack-token', ['xapp-'], 'xapp-[0-9]-[A-Za-z0-9-]{10,}'],
  ['slack-webhook', ['hooks.slack.com/services/'], 'hooks\\.slack\\.com/services/[A-Za-z0-9+/]{20,}'],
  ['stripe-key', ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], '[rs]k_(?:live|test)_[A-Za-z0-9]{10,}'],
  ['stripe-key', ['whsec_'], 'whsec_[A-Za-z0-9+/]{24,}={0,2}'],
  ['anthropic-key', ['sk-ant-'], 'sk-ant-[A-Za-z0-9_-]{16,}'],
  ['openai-key', ['sk-'], `${ALONE}sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,})`],
  ['google-key', ['AIza'], `${OUT_OF_BASE64}AIza[A-Za-z0-9_-]{35}`],
  ['google-token', ['ya29.'], 'ya29\\.[A-Za-z0-9_-]{20,}'],
  ['google-key', ['GOCSPX-'], 'GOCSPX-[A-Za-z0-9_-]{20,}'],
  ['npm-token', ['npm_'], 'npm_[A-Za-z0-9]{36,}'],
  ['pypi-token', ['pypi-'], 'pypi-[A-Za-z0-9_-]{40,}'],
  ['huggingface-token', ['hf_'], `${ALONE}hf_[A-Za-z]{34,}`],
  [
    'json-web-token',
    ['eyJ'],
    `${OUT_OF_BASE64}eyJ[A-Za-z0-9_-]{8,}\\.(?:eyJ[A-Za-z0-9_-]{2,}\\.[A-Za-z0-9_-]*|[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,})`,
  ],
  ['mcp-python-key', ['mcpp_'], 'mcpp_[A-Za-z0-9_-]{16,}'],
];

export const TOKEN_SHAPES: readonly Shape[] = TOKENS.map(([kind, anchors, form]) => {
  const pattern = new RegExp(form, 'y');
  return {
    anchors,
    find(text, at) {
      pattern.lastIndex = at;
      if (!pattern.test(text)) return undefined;
      const end = pattern.lastIndex;
      return isFiller(text, at, end) ? { end } : { start: at, end, kind };
    },
  };
});

/** Characters that tokens begin with at most, before those that tell them apart. */
const LONGEST_PREFIX = 13;

/** A token of one character over and over, as documentation shows it. */
function isFiller(text: string, start: number, end: number): boolean {
  const last = text.charCodeAt(end - 1);
  let same = end - 1;
  while (same > start && text.charCodeAt(same - 1) === last) same--;
  return same - start <= LONGEST_PREFIX;
}
