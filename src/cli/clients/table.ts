import { claudeCode } from './claude-code.ts';
import type { Client } from './client.ts';
import { cursor } from './cursor.ts';
import { opencode } from './opencode.ts';
import { vscode } from './vscode.ts';

/** Every client `setup` knows; a new one is its file and one line here. */
export const CLIENTS: readonly Client[] = [claudeCode, opencode, vscode, cursor];
