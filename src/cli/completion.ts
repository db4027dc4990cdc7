import { Argument, Command } from 'commander';
import { printData } from './output.ts';

const HELP = `
To use it now and in every new shell:
  bash  mcp-python completion bash > ~/.local/share/bash-completion/completions/mcp-python
  zsh   mcp-python completion zsh > ~/.zfunc/_mcp-python     (with fpath+=~/.zfunc before compinit in ~/.zshrc)
  fish  mcp-python completion fish > ~/.config/fish/completions/mcp-python.fish

Names of tools are asked from mcp-python while you type, so that those of plug-ins are there too.`;

export function define(): Command {
  return new Command('completion')
    .description('Print a completion script: subcommands, options, tools and their arguments, configuration keys.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', HELP)
    .action(completion);
}

async function completion(shell: 'bash' | 'zsh' | 'fish'): Promise<void> {
  const { programShape } = await import('./completions/shape.ts');
  const shape = await programShape();
  if (shell === 'bash') await printData((await import('./completions/bash.ts')).bashScript(shape));
  else if (shell === 'zsh') await printData((await import('./completions/zsh.ts')).zshScript(shape));
  else await printData((await import('./completions/fish.ts')).fishScript(shape));
}
