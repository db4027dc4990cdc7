/** Secrets among our own environment variables, told by their names. */

/** What a name that holds a secret ends with, or has before a number. */
const SECRET_NAME =
  /(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY|CREDENTIALS?|AUTH)(?:_?\d+)?$/i;
/** Characters a value must have: shorter ones are switches and numbers. */
const SHORTEST = 8;
/** The shell's own folders. */
const NO_SECRETS: ReadonlySet<string> = new Set(['PWD', 'OLDPWD', 'INIT_CWD']);
/** Passwords of every test machine. With them masked, names of programs, users and databases would be gone from all output. */
const EVERYDAY_WORDS: ReadonlySet<string> = new Set(
  'password passw0rd changeme changeit postgres postgresql rabbitmq minioadmin localhost username default1 example1 development production disabled required'.split(
    ' ',
  ),
);

/** Values of variables such as `GITHUB_TOKEN` and `PGPASSWORD`; not paths, nor words that are in every other text. */
export function secretsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const secrets: string[] = [];
  for (const [name, value = ''] of Object.entries(environment)) {
    if (!SECRET_NAME.test(name) || NO_SECRETS.has(name) || value.trim().length < SHORTEST) continue;
    if (
      EVERYDAY_WORDS.has(value.toLowerCase()) ||
      /^(?:~|\.{0,2})\/[\w.-]+(?:\/[\w.-]+)*$/.test(value) ||
      /^\d{1,9}$/.test(value)
    )
      continue;
    secrets.push(value);
  }
  return secrets;
}
