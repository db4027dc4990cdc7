/** Settings of git that make it run programs, load code, or work elsewhere (git-config(1)). */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { effectsOf, fed, reads, runs, runsScript, unknown, writes } from './program.ts';
import { rest, splitAtBlanks } from './unknown-words.ts';

/** The value is text for a shell. */
const SCRIPTS =
  /^(?:core\.(?:pager|editor|sshcommand|alternaterefscommand|fsmonitor)|sequence\.editor|diff\.external|diff\..+\.(?:textconv|command)|(?:diff|merge)tool\..+\.(?:cmd|path)|guitool\..+\.cmd|merge\..+\.driver|filter\..+\.(?:clean|smudge|process)|gpg\.ssh\.defaultkeycommand|pager\..+|interactive\.difffilter|remote\..+\.(?:uploadpack|receivepack)|uploadpack\.packobjectshook|browser\..+\.(?:cmd|path)|man\..+\.(?:cmd|path)|sendemail\..*cmd|trailer\..+\.(?:command|cmd)|tar\..+\.command|imap\.tunnel|hook\..+\.command|receive\.procreceiverefs|submodule\..+\.update)$/;
/** The value is a program, started as it is. */
const PROGRAMS = /^(?:core\.(?:askpass|gitproxy)|gpg\.(?:.+\.)?program)$/;
/** What follows from the value depends on other settings, or on programs that are not named in full. */
const OPEN =
  /^(?:merge\.tool|diff\.tool|diff\.guitool|merge\.guitool|web\.browser|man\.viewer|protocol\.(?:.+\.)?allow|remote\..+\.vcs|url\..+\.(?:pushinsteadof|insteadof)|core\.attributesfile|core\.worktree|core\.hookspath|init\.templatedir|include\.path|includeif\..+\.path|lfs\..*customtransfer.*|lfs\..+\.path|annex\..+|extensions\..+|credential(?:\..+)?\.helper|sendemail\.smtpserver|instaweb\..+|core\.bare)$/;
/** Values that run nothing. */
const HARMLESS = /^(?:|true|false|yes|no|on|off|[01]|cat|never|user|merge|checkout|rebase|none|\/dev\/null)$/;
/** Tools that git knows of by itself. */
const TOOLS = /^(?:n?vimdiff\d?|gvimdiff\d?|meld|kdiff3|vscode|bc|opendiff|p4merge|emerge)$/;
const KNOWN_HELPERS = /^(?:store|cache|osxkeychain|manager|manager-core|libsecret|wincred|netrc)(?:\s|$)/;

/** @param value undefined for a setting that stands alone, which is `true` then */
export function settingEffects(key: Word | undefined, value: Word | undefined): readonly Effect[] {
  if (!key) return [];
  if (key.value === undefined) return [unknown(`gets a setting that is computed (${key.source.slice(0, 40)})`)];
  // Section and variable do not depend on case; what is between them is matched as anything.
  const name = key.value.toLowerCase();
  if (value === undefined || HARMLESS.test(value.value ?? 'x'))
    return /^protocol\./.test(name) && value?.value === 'user' ? [unknown('lets any remote run programs')] : [];
  if (name.startsWith('alias.')) return aliasEffects(name, value);
  if (name.startsWith('submodule.') && name.endsWith('.update') && !value.value?.startsWith('!')) return [];
  if (SCRIPTS.test(name)) return fed(runsScript(value.value?.startsWith('!') ? rest(value, 1) : value, `by the setting ${name}`));
  if (PROGRAMS.test(name)) return effectsOf('program', value, `by the setting ${name}`);
  if (/^credential(?:\..+)?\.helper$/.test(name)) {
    if (value.value?.startsWith('!')) return runsScript(rest(value, 1), '');
    if (value.value?.startsWith('/')) return runsScript(value, '');
    return KNOWN_HELPERS.test(value.value ?? '') ? [] : [unknown('runs a program for passwords that is not known')];
  }
  if (name.endsWith('tool') && TOOLS.test(value.value ?? '')) return [];
  if (OPEN.test(name)) return [unknown(`is given the setting ${name}, which can make it run programs`)];
  if (/^remote\..+\.(?:push)?url$/.test(name)) return urlEffects(value);
  return name === 'core.excludesfile' || name === 'commit.template'
    ? [reads(value)]
    : name === 'format.outputdirectory'
      ? [writes(value)]
      : [];
}

/** `!` begins a script; everything else is git again. */
function aliasEffects(name: string, value: Word): readonly Effect[] {
  if (value.value === undefined) return [unknown(`is given the alias ${name}, which can run programs`)];
  if (value.value.startsWith('!')) return runsScript(rest(value, 1), '');
  const words = splitAtBlanks(value.value);
  return words ? runs([knownWord('git'), ...words]) : [unknown(`is given the alias ${name}, which cannot be read`)];
}

/** `name=value`, as behind -c */
export function givenSetting(word: Word): readonly Effect[] {
  const text = word.value;
  if (text === undefined) {
    const [, key] = /^["']?([A-Za-z][\w.-]*)=/.exec(word.source) ?? [];
    return settingEffects(key === undefined ? word : knownWord(key), word);
  }
  const equals = text.indexOf('=');
  return equals === -1 ? [] : settingEffects(knownWord(text.slice(0, equals)), knownWord(text.slice(equals + 1)));
}

/** A remote of another kind than these is a program of its own: `ext::sh -c …` (gitremote-helpers(7)). */
export function urlEffects({ value }: Word): readonly Effect[] {
  const [, kind] = /^([A-Za-z][\w+.-]*):(?::|\/\/)/.exec(value ?? '') ?? [];
  if (kind === undefined || value === undefined) return [];
  const [, helper] = /^([\w+.-]+)::/.exec(value) ?? [];
  if (helper === 'ext') return runsScript(value.slice(5), '');
  return helper === undefined && /^(?:https?|ssh|git|file|ftps?|git\+ssh|ssh\+git|git\+https?)$/i.test(kind)
    ? []
    : [unknown(`uses ${kind}, a kind of remote that is a program`)];
}
