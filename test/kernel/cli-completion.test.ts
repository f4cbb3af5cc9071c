// socket-options completion, in real shells.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { main, optionsOf } from '../support/command-line';
import { needsTmux, Tmux } from '../support/terminal';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

function needsShell({ skip }: Pick<TestContext, 'skip'>, shell: Shell): void {
  const { error } = spawnSync(shell, ['-c', 'true']);
  skip(error !== undefined, `${shell} does not run here: ${error?.message}`);
}

const script = (shell: string) =>
  execFileSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' });

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'socket-options-'));
  for (const shell of SHELLS) writeFileSync(join(directory, shell), script(shell));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What bash offers for these words; the last one is being typed. */
function bash(...words: string[]): string[] {
  const command = `source ${directory}/bash; shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _socket_options; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['-c', command, 'bash', '--', 'socket-options', ...words], {
    encoding: 'utf8',
  });
  return output.split('\n').filter((word) => word !== '');
}

/** The same for fish. */
function fish(...words: string[]): string[] {
  const line = ['socket-options', ...words].join(' ');
  const command = `source ${directory}/fish; complete -C '${line}'`;
  const output = execFileSync('fish', ['--no-config', '-c', command], { encoding: 'utf8' });
  return output.split('\n').flatMap((offer) => offer.split('\t')[0] || []);
}

describe.each([
  ['bash', bash],
  ['fish', fish],
] as const)('%s', (shell, complete) => {
  test('completes commands', (context) => {
    needsShell(context, shell);
    expect(complete('con')).toEqual(['connections']);
    expect(complete('')).toEqual(
      expect.arrayContaining(['defaults', 'connections', 'plan', 'watch', 'completion']),
    );
  });

  test('completes every option that the help of a command has', async (context) => {
    needsShell(context, shell);
    for (const command of ['defaults', 'connections', 'plan', 'watch', 'completion']) {
      const names = (await optionsOf(command)).map(({ name }) => `--${name}`);
      const offered = complete(command, '--').map((offer) => offer.replace(/=$/, ''));
      expect(offered).toEqual(expect.arrayContaining([...names, '--help']));
      expect(new Set(offered).size).toBe(names.length + 1);
    }
  });

  test('completes values that are known, and no others', (context) => {
    needsShell(context, shell);
    expect(complete('connections', '--group-by', '').sort()).toEqual(['peer', 'process', 'state']);
    expect(complete('connections', '--json', '--sort', 'un').sort()).toEqual(['unacked', 'unread']);
    expect(complete('connections', '--problems', 'half')).toEqual(['half-open']);
    expect(complete('plan', '20s', '--platform', 'd')).toEqual(['darwin']);
    expect(complete('completion', 'z')).toEqual(['zsh']);
    expect(complete('connections', '--port', '')).toEqual([]);
    expect(complete('unknown', '--sort', '')).not.toContain('rtt');
  });

  test('completes states in any case, and the last item of a list', (context) => {
    needsShell(context, shell);
    expect(complete('connections', '--state', 'est')).toEqual(['established']);
    expect(complete('connections', '--state', 'EST').map((one) => one.toLowerCase())).toEqual([
      'established',
    ]);
    expect(complete('connections', '--state', 'listen,est')).toEqual(['listen,established']);
    expect(complete('connections', '--problems', 'half-open,un')).toEqual(['half-open,unread']);
    const all = complete('connections', '--problems', 'half-open,');
    expect(all).toContain('half-open,unread');
    expect(all.filter((one) => one.includes('--'))).toEqual([]);
  });
});

test('bash completes --option=value, which it splits, and options after --problems', (context) => {
  needsShell(context, 'bash');
  expect(bash('connections', '--sort', '=')).toContain('rtt');
  expect(bash('connections', '--sort', '=', 'rt')).toEqual(['rtt']);
  expect(bash('connections', '--problems', '--js')).toEqual(['--json']);
});

test('zsh completes commands, options and values in a terminal', async (context) => {
  needsShell(context, 'zsh');
  needsTmux(context);
  const tmux = await Tmux.start(100, 24);
  try {
    await tmux.enter(['exec', 'zsh', '-f']);
    await tmux.enter(['autoload', '-U', 'compinit']);
    await tmux.enter(['compinit', '-u', '-D']);
    await tmux.enter(['source', `${directory}/zsh`]);
    await tmux.enter(['print', 'ready']);
    await tmux.until(/^ready$/m);
    const type = async (text: string) => {
      await tmux.press('C-u', 'C-l');
      await tmux.press(
        ...text.split('').map((letter) => (letter === ' ' ? 'Space' : letter)),
        'Tab',
      );
    };
    await type('socket-options conn');
    await tmux.until(/socket-options connections/);
    await type('socket-options connections --group-by ');
    await tmux.until(/peer +process +state/);
    await type('socket-options connections --fail');
    await tmux.until(/--fail-on-problems/);
    await type('socket-options connections --state EST');
    await tmux.until(/--state established/);
    await type('socket-options connections --state listen,est');
    await tmux.until(/--state listen,established/);
    await type('socket-options connections --problems half-open,un');
    await tmux.until(/--problems half-open,unread/);
    await type('socket-options completion f');
    await tmux.until(/completion fish/);
  } finally {
    await tmux.end();
  }
});

test('an unknown shell is a wrong argument, with a suggestion', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'completion', 'bsh'], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/unknown value of shell 'bsh' \(did you mean 'bash'\?\)/);
});
