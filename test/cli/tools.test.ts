import { describe, expect, it } from 'vitest';
import { run } from './run-program.ts';

describe('tools', () => {
  it('lists name, toolset, effect and title of each', async () => {
    const { status, stdout } = await run(['tools']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^execute_command +system +may destroy +Execute command$/m);
    expect(stdout).toMatch(/^read_file +files +reads +Read file$/m);
  });

  it('lists them as MCP clients see them with --json, without those that are disabled', async () => {
    const { stdout } = await run(['tools', '--json'], { env: { MCP_PYTHON_TOOLS_DISABLED: 'write_file' } });
    const names = JSON.parse(stdout).map(({ name }: { name: string }) => name);
    expect(names).toContain('edit_file');
    expect(names).not.toContain('write_file');
  });

  it('describes one tool with its arguments', async () => {
    const { stdout } = await run(['tools', 'read_file']);
    expect(stdout).toMatch(/^ {2}file_path\* +string/m);
    expect(stdout).toContain('Usage: mcp-python call read_file file_path=…');
    const { stdout: json } = await run(['tools', 'read_file', '--json']);
    expect(JSON.parse(json)).toMatchObject({ name: 'read_file', inputSchema: { required: ['file_path'] } });
  });

  it('names the nearest tool for one that does not exist, and ends with 6', async () => {
    const { status, stdout, stderr } = await run(['tools', 'read_files']);
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
    expect(stderr).toContain('Did you mean "read_file"?');
  });
});
