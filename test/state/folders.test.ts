import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFolder, stateFolder } from '../../src/state/folders.ts';

describe('our folders', () => {
  it('are where the XDG Base Directory Specification says', () => {
    expect(configFolder({ XDG_CONFIG_HOME: '/c', HOME: '/h' })).toBe('/c/mcp-python');
    expect(stateFolder('', { XDG_STATE_HOME: '/s', HOME: '/h' })).toBe('/s/mcp-python');
  });

  it('are below the home directory without the variables, or with relative ones', () => {
    expect(configFolder({ HOME: '/h' })).toBe('/h/.config/mcp-python');
    expect(configFolder({ XDG_CONFIG_HOME: 'c', HOME: '/h' })).toBe('/h/.config/mcp-python');
    expect(stateFolder('', { XDG_STATE_HOME: '', HOME: '/h' })).toBe('/h/.local/state/mcp-python');
    expect(configFolder({})).toBe(join(homedir(), '.config/mcp-python'));
  });

  it('follow the configuration first', () => {
    expect(stateFolder('/configured', { XDG_STATE_HOME: '/s' })).toBe('/configured');
  });
});
