import { defineCommand } from '../command.ts'
import { EXIT } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { suggestions } from '../suggest.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

const BASH = `# clew completion for bash
_clew() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    [[ -n $line ]] && COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(clew __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -o bashdefault -F _clew clew`

const ZSH = `#compdef clew
# clew completion for zsh
_clew() {
  local line
  local -a proposals
  while IFS= read -r line; do
    [[ -n $line ]] && proposals+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(clew __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#proposals} )); then _describe -V clew proposals; else _files; fi
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then _clew "$@"; else compdef _clew clew; fi`

const FISH = `# clew completion for fish
function __clew_complete
  set -l words (commandline -opc)
  set -e words[1]
  set -l current (commandline -ct)
  clew __complete -- $words "$current" 2>/dev/null
end
complete -c clew -a '(__clew_complete)'`

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }

const INSTALL: Readonly<Record<Shell, string>> = {
  bash: "echo 'source <(clew completion bash)' >> ~/.bashrc",
  zsh: "echo 'source <(clew completion zsh)' >> ~/.zshrc   (behind compinit)",
  fish: 'clew completion fish > ~/.config/fish/completions/clew.fish',
}

export const completionCommand = defineCommand<{ readonly json: boolean }, readonly [Shell]>({
  help: {
    brief: 'Print the script that completes clew in your shell',
    usage: SHELLS.join('|'),
    examples: [
      { input: 'completion bash', brief: INSTALL.bash },
      { input: 'completion zsh', brief: INSTALL.zsh },
      { input: 'completion fish', brief: INSTALL.fish },
    ],
    description: ['The script asks the command itself, so clew must be on the PATH.'],
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: parseShell,
          placeholder: 'SHELL',
          brief: SHELLS.join(', '),
          proposeCompletions: (partial) => SHELLS.filter((shell) => shell.startsWith(partial)),
        },
      ],
    },
    flags: {
      json: { kind: 'boolean', default: false, brief: 'the script as one JSON value' },
    },
  },
  run({ output }, { json }, shell) {
    if (json) output.printJson({ shell, script: SCRIPTS[shell], install: INSTALL[shell] })
    else output.print(SCRIPTS[shell])
    if (output.live && !json) output.say(`\nto install it: ${INSTALL[shell]}`)
    return EXIT.ok
  },
})

function parseShell(text: string): Shell {
  const shell = SHELLS.find((name) => name === text)
  if (shell === undefined) {
    throw usageFault(
      `${JSON.stringify(text)} is no shell we know; it is one of ${SHELLS.join(', ')}`,
      {
        meant: suggestions(text, SHELLS),
      },
    )
  }
  return shell
}
