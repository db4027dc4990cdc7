import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { type ConfigKey, configJsonSchema, configKeys, knownNames, redactConfig, valueAt } from '../config/keys.ts';
import { originText } from '../config/layer.ts';
import { validateFile } from '../config/load.ts';
import { nearestName } from '../config/nearest-name.ts';
import { Failure } from '../errors.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { configFolder } from '../state/folders.ts';
import { printData, printJson, table } from './output.ts';
import { loadConfigFor, tellWarnings, wantsJson } from './session.ts';

export function define(): Command {
  const config = new Command('config').description(
    'Make, show and check the configuration. Values: flag over environment over file over default.',
  );
  config
    .command('init')
    .description('write a configuration file with every key, its default and what it does')
    .option('--path <file>', 'where to write it (default: the user’s configuration folder)')
    .option('--force', 'overwrite a file that is there')
    .action(init);
  config
    .command('show')
    .description('print the configuration in force and where each value came from')
    .argument('[key]', 'one key, or a section')
    .action(show);
  config
    .command('validate')
    .description(
      'check a file, or the configuration in force, without running commands in it; exit status 3 when it is not valid',
    )
    .argument('[file]', 'a YAML or JSON file')
    .action(validate);
  config
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(() => printJson(configJsonSchema()));
  return config;
}

async function init({ path = join(configFolder(), 'config.yaml'), force }: { path?: string; force?: boolean }): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, commentedYaml(), { mode: 0o600, flag: force ? 'w' : 'wx' });
  } catch (error) {
    throw cannotWrite(path, error as NodeJS.ErrnoException);
  }
  await printData(path);
}

function cannotWrite(path: string, error: NodeJS.ErrnoException): Failure {
  if (error.code === 'EEXIST') {
    return new Failure('conflict', `${path} is there already.`, {
      hint: 'Overwrite it with --force, or choose another with --path.',
    });
  }
  const denied = error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS';
  return new Failure(denied ? 'denied' : 'invalid_input', `Cannot write ${path}: ${error.message}`, {
    hint: 'Choose another place with --path.',
    cause: error,
  });
}

/** Every key commented out with its default, so that a new default reaches those who did not choose otherwise. */
function commentedYaml(): string {
  const lines = [
    '## Configuration of mcp-python: every key with its default.',
    '## To set one, remove the "# " before it and before each section above it.',
    '## Relative paths start at the folder of this file.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how references are written
    '## Secrets need not stand here: ${env:NAME}, ${file:PATH} and ${command:SCRIPT} stand for a value, $${ for ${ itself.',
  ];
  let sections: string[] = [];
  for (const { key, description, accepts, default: initial } of configKeys()) {
    const path = key.split('.');
    const name = path.pop();
    const shared = path.findIndex((part, depth) => part !== sections[depth]);
    if (path.length === 0) lines.push('');
    for (let depth = shared === -1 ? path.length : shared; depth < path.length; depth++) {
      if (depth === 0) lines.push('');
      lines.push(`# ${'  '.repeat(depth)}${path[depth]}:`);
    }
    sections = path;
    const indent = '  '.repeat(path.length);
    lines.push(`# ${indent}# ${description} Takes ${accepts}.`, `# ${indent}${name}: ${JSON.stringify(initial)}`);
  }
  return `${lines.join('\n')}\n`;
}

async function show(wanted: string | undefined, _: unknown, command: Command): Promise<void> {
  const loaded = await loadConfigFor(command, {}, 'check');
  const keys = configKeys().filter(({ key }) => wanted === undefined || key === wanted || key.startsWith(`${wanted}.`));
  if (wanted !== undefined && keys.length === 0) {
    const near = nearestName(wanted, knownNames());
    throw new Failure('not_found', `There is no key "${wanted}".`, {
      hint: near ? `Did you mean "${near}"?` : 'List all with `mcp-python config show`.',
    });
  }
  const shown = redactor.json(redactConfig(loaded.config, loaded.references));
  const rows = keys.map(({ key }: ConfigKey) => ({ key, value: valueAt(shown, key), origin: originText(loaded.originOf(key)) }));
  if (wantsJson(command)) await printJson(rows);
  else await printData(table(rows.map(({ key, value, origin }) => [key, JSON.stringify(value), origin])));
}

async function validate(file: string | undefined, _: unknown, command: Command): Promise<void> {
  const loaded = file === undefined ? await loadConfigFor(command, {}, 'check') : await validateFile(file);
  if (file !== undefined) await tellWarnings(loaded);
  const { files } = loaded;
  const text = files.length > 0 ? `valid: ${files.join(', ')}` : 'valid: there is no configuration file, all values are defaults';
  await (wantsJson(command) ? printJson({ valid: true, files }) : printData(text));
}
