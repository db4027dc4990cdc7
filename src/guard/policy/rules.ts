/** The user's own rules: `execution.security.rules`. */
import type { PolicyRule } from '../../config/schema.ts';
import type { Word } from '../shell/script.ts';
import type { Finding } from './decision.ts';

export interface RuleSubject {
  readonly tool: string;
  readonly backend: string;
  /** Name of the principal. */
  readonly principal: string;
  readonly args: readonly Word[];
  /** Whether the program is the one that a name or path in a rule means. */
  isProgram(entry: string): boolean;
}

/** What each rule that applies says, in the order of the configuration. */
export function findingsOfRules(rules: readonly PolicyRule[], subject: RuleSubject): Finding[] {
  return rules.flatMap((rule, index) => {
    if (!applies(rule, subject)) return [];
    const { verdict, reason } = rule;
    return [{ verdict, rule: `rules[${index}]`, reason: reason ?? REASONS[verdict] }];
  });
}

const REASONS = {
  allow: 'a rule allows it',
  ask: 'a rule has a person asked first',
  deny: 'a rule forbids it',
} as const;

function applies(rule: PolicyRule, { tool, backend, principal, args, isProgram }: RuleSubject): boolean {
  if (rule.tool !== undefined && !matches(rule.tool, tool)) return false;
  if (rule.backend !== undefined && !matches(rule.backend, backend)) return false;
  if (rule.principal !== undefined && !matches(rule.principal, principal)) return false;
  if (rule.command !== undefined && !isProgram(rule.command)) return false;
  if (rule.arguments === undefined) return true;
  const patterns = rule.arguments;
  // What is not known could be anything: a rule that forbids applies, one that allows does not.
  if (rule.verdict === 'allow') {
    return args.every(({ value }) => value !== undefined && patterns.some((pattern) => matches(pattern, value)));
  }
  return patterns.every((pattern) => args.some(({ value }) => value === undefined || matches(pattern, value)));
}

const compiled = new Map<string, RegExp>();

/** `*` is any text, `?` one character; everything else is itself. */
export function matches(pattern: string, text: string): boolean {
  let expression = compiled.get(pattern);
  if (!expression) {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    expression = new RegExp(`^${escaped.replace(/\*+/g, '.*').replaceAll('?', '.')}$`, 's');
    compiled.set(pattern, expression);
  }
  return expression.test(text);
}
