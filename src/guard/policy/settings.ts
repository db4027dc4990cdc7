import type { Config, PolicyRule } from '../../config/schema.ts';

export type Profile = Config['execution']['security']['profile'];

/** The part of the configuration that the command policy goes by. */
export interface PolicySettings {
  readonly profile: Profile;
  readonly allowed: readonly string[];
  readonly blocked: readonly string[];
  readonly rules: readonly PolicyRule[];
  /** Files are confined to named folders. */
  readonly pathsRestricted: boolean;
  /** The sandbox will hold what the parser cannot see: files written under names that are not known yet. */
  readonly sandboxed: boolean;
}

/** Programs are named one by one: then what cannot be known of a command is refused. */
export function isStrict({ allowed, blocked }: PolicySettings): boolean {
  return allowed.length > 0 || blocked.length > 0;
}
