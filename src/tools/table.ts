import type { LazyTool } from './catalogue.ts';

/** Every built-in tool; a new one is its file and one line here. */
export const BUILT_IN_TOOLS: readonly LazyTool[] = [
  { name: 'execute_command', load: async () => (await import('./execute-command.ts')).executeCommand },
  { name: 'manage_job', load: async () => (await import('./manage-job.ts')).manageJob },
  { name: 'get_system_info', load: async () => (await import('./get-system-info.ts')).getSystemInfo },
  { name: 'get_system_status', load: async () => (await import('./get-system-status.ts')).getSystemStatus },
  { name: 'check_command_exists', load: async () => (await import('./check-command-exists.ts')).checkCommandExists },
  { name: 'read_file', load: async () => (await import('./read-file.ts')).readFile },
  { name: 'write_file', load: async () => (await import('./write-file.ts')).writeFile },
  { name: 'edit_file', load: async () => (await import('./edit-file.ts')).editFile },
  { name: 'list_directory', load: async () => (await import('./list-directory.ts')).listDirectory },
  { name: 'search_files', load: async () => (await import('./search-files.ts')).searchFiles },
  { name: 'create_project', load: async () => (await import('./create-project.ts')).createProject },
  { name: 'create_task', load: async () => (await import('./create-task.ts')).createTask },
  { name: 'distribute_task', load: async () => (await import('./distribute-task.ts')).distributeTask },
  { name: 'get_project_status', load: async () => (await import('./get-project-status.ts')).getProjectStatus },
  { name: 'list_agents', load: async () => (await import('./list-agents.ts')).listAgents },
];
