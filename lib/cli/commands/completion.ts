// socket-options completion: prints a script with which a shell completes commands, options and their values. It is made
// from the option tables of the commands.

import { choiceOf } from '../arguments';
import type { Command, Result } from '../command';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const help = `Usage: socket-options completion <bash|zsh|fish>

Prints a script that completes commands, options and their values. It has all
that it needs: it does not start Node.

  bash  add to ~/.bashrc:   source <(socket-options completion bash)
  zsh   add to ~/.zshrc, after compinit:
                            source <(socket-options completion zsh)
  fish  socket-options completion fish > \\
          ~/.config/fish/completions/socket-options.fish

Exit codes: 0 success, 2 wrong arguments.
`;

/** The options that the program itself has, without a command. */
const OWN_OPTIONS = ['--help', '--version'];

/** Makes the command. `commandsOf` is called when it runs: it is one of the commands that it completes. */
export function completionOf(commandsOf: () => Readonly<Record<string, Command>>): Command {
  return {
    summary: 'print a script that completes all this in bash, zsh or fish',
    help,
    options: {},
    operands: ['shell'],
    choices: { shell: SHELLS },
    run: (_, [shell = '']): Result => {
      const commands = Object.entries(commandsOf()).map(describe);
      const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
      const script = scripts[choiceOf('shell', shell, SHELLS)];
      return { output: script(commands), complete: true };
    },
  };
}

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly DescribedOption[];
  /** The values of the operand that are known. */
  readonly operands: readonly string[];
}

interface DescribedOption {
  readonly name: string;
  readonly value: 'none' | 'required' | 'optional';
  readonly isRepeated: boolean;
  /** Whether the value is a list with commas. */
  readonly isList: boolean;
  /** The values that are known. */
  readonly choices: readonly string[];
}

function describe([name, command]: [string, Command]): Described {
  const {
    summary,
    options,
    optionalValues = [],
    operands = [],
    choices = {},
    lists = [],
  } = command;
  const described = Object.entries(options).map(([option, { type, multiple }]): DescribedOption => {
    const value = optionalValues.includes(option) ? 'optional' : 'required';
    return {
      name: option,
      value: type === 'boolean' ? 'none' : value,
      isRepeated: multiple === true,
      isList: lists.includes(option),
      choices: choices[option] ?? [],
    };
  });
  const noValue = { value: 'none', isRepeated: false, isList: false, choices: [] } as const;
  return {
    ...{ name, summary, options: [...described, { name: 'help', ...noValue }] },
    operands: operands.flatMap((operand) => choices[operand] ?? []),
  };
}

/** Names, summaries and choices have no quotation marks; if one got some, it would end the word. */
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const join = (words: readonly string[]) => quote(words.join(' '));
const long = ({ name }: { readonly name: string }) => `--${name}`;

function bashScript(commands: readonly Described[]): string {
  const valueCases = commands.flatMap(({ name, options }) =>
    options
      .filter(({ value }) => value !== 'none')
      .map((option) => {
        const words = [...option.choices];
        // An option may follow where the value is optional.
        if (option.value === 'optional') words.push(...options.map(long));
        const list = option.isList ? ' list=yes' : '';
        return `    ${quote(`${name} ${long(option)}`)}) words=${join(words)}${list} ;;`;
      }),
  );
  const commandCases = commands.map(
    ({ name, options, operands }) =>
      `      ${name}) words=${join([...operands, ...options.map(long)])} ;;`,
  );
  return `# bash completion of socket-options
_socket_options() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words= list= first= skip=
  # bash takes the = of --option=value for a word.
  if [ "$word" = = ]; then word=
  elif [ "$previous" = = ]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${join([...commands.map(({ name }) => name), ...OWN_OPTIONS])}
  else case "\${COMP_WORDS[1]} $previous" in
${valueCases.join('\n')}
    *) case "\${COMP_WORDS[1]}" in
${commandCases.join('\n')}
    esac ;;
  esac; fi
  # Names in lists are known in any case.
  case "$list\${word##*,}" in yes[A-Z]*) words=$(printf %s "$words" | tr a-z A-Z) ;; esac
  # Of a list, the last item is completed, and is no option.
  case "$list$word" in yes*,*) first=\${word%,*},; word=\${word##*,}; skip='--*' ;; esac
  COMPREPLY=($(compgen -P "$first" -X "$skip" -W "$words" -- "$word"))
}
complete -F _socket_options socket-options
`;
}

function zshScript(commands: readonly Described[]): string {
  const argumentOf = (option: DescribedOption) => {
    const repeated = option.isRepeated ? '*' : '';
    if (option.value === 'none') return `${repeated}${long(option)}`;
    const colon = option.value === 'optional' ? '::' : ':';
    const words = option.choices.join(' ');
    // In any case. A colon would end the action.
    const list = `_sequence compadd -M "m\\:{a-zA-Z}={A-Za-z}" - ${words}`;
    const values = words === '' ? ' ' : option.isList ? list : `(${words})`;
    return `${repeated}${long(option)}=${colon}${option.name}:${values}`;
  };
  const cases = commands.map(({ name, options, operands }) => {
    const specs = options.map(argumentOf);
    if (operands.length > 0) specs.push(`1:operand:(${operands.join(' ')})`);
    return `    ${name}) _arguments ${specs.map(quote).join(' ')} ;;`;
  });
  const names = commands.map(({ name, summary }) => quote(`${name}:${summary}`));
  return `#compdef socket-options
_socket_options() {
  if (( CURRENT == 2 )); then
    local -a names=(${names.join(' ')})
    _describe command names
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
compdef _socket_options socket-options
`;
}

const fishValues = ({ isList, choices }: DescribedOption) =>
  isList
    ? quote(`(__fish_complete_list , "printf '%s\\\\n' ${choices.join(' ')}")`)
    : join(choices);

function fishScript(commands: readonly Described[]): string {
  const complete = 'complete -c socket-options';
  const seen = ({ name }: Described, more = '') =>
    `-n '__fish_seen_subcommand_from ${name}${more}'`;
  const lines = commands.flatMap((command) => [
    `${complete} -n __fish_use_subcommand -a ${command.name} -d ${quote(command.summary)}`,
    ...command.options.map((option) => {
      const kind = option.value === 'required' ? ' -x' : '';
      const values = option.choices.length === 0 ? '' : ` -a ${fishValues(option)}`;
      return `${complete} ${seen(command)} -l ${option.name}${kind}${values}`;
    }),
    // fish offers the value of an option after a space only if the option must have one.
    ...command.options
      .filter(({ value, choices }) => value === 'optional' && choices.length > 0)
      .map((option) => {
        const after = `; and __fish_prev_arg_in ${long(option)}`;
        return `${complete} ${seen(command, after)} -a ${fishValues(option)}`;
      }),
    ...(command.operands.length === 0
      ? []
      : [`${complete} ${seen(command)} -a ${join(command.operands)}`]),
  ]);
  const own = OWN_OPTIONS.map(
    (option) => `${complete} -n __fish_use_subcommand -l ${option.slice(2)}`,
  );
  return [`# fish completion of socket-options`, `${complete} -f`, ...own, ...lines, ''].join('\n');
}
