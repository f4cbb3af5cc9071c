// A project that has installed the package and the tools. It writes the files and runs the commands of docs/bundlers.md.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, inject } from 'vitest';
import { installed } from '../../support/cache.cjs';

const docs = readFileSync(join(__dirname, '../../../docs/bundlers.md'), 'utf8');
const runtimes = installed('runtimes', join(__dirname, '../runtimes'), ['--force']);
export const node26 = join(runtimes, 'node-26/bin/node');
export const bun = join(runtimes, 'bun/bin/bun');

/** Returns the code blocks below a heading: the files by their names, which are before the block, and the commands. */
function recipe(heading: string): { files: ReadonlyMap<string, string>; commands: string } {
  const sections = docs.split(/^#+ /m).filter((one) => one.startsWith(`${heading}\n`));
  if (sections.length !== 1)
    throw new Error(`${sections.length} headings "${heading}" in the docs`);
  const files = new Map<string, string>();
  let commands = '';
  const blocks = /(?:`([\w.-]+)`:\n+)?^```(\w+)\n([\s\S]*?)^```$/gm;
  for (const [, name, language, text = ''] of (sections[0] as string).matchAll(blocks)) {
    if (name !== undefined) files.set(name, text);
    else if (language === 'sh') commands += text;
  }
  return { files, commands };
}

export interface Output {
  readonly status: number | null;
  readonly stdout: string;
  /** What the program printed, with its errors. */
  readonly output: string;
}

function start(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Output {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
    env: {
      ...process.env,
      ...{ NO_COLOR: '1', PREBUILDS_ONLY: undefined, SOCKET_OPTIONS_PREBUILD: undefined },
      ...env,
    },
  });
  if (error) throw error;
  return { status, stdout, output: stdout + stderr };
}

/** The folder of everything that one test file makes. */
export class Workshop {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-bundlers-')));
  readonly #installed = join(this.#folder, 'installed');
  #projects = 0;

  constructor() {
    // Beside the projects, where Node looks for packages that a project has not installed itself.
    symlinkSync(installed('bundlers', __dirname), join(this.#folder, 'node_modules'));
    mkdirSync(this.#installed);
    writeFileSync(join(this.#installed, 'package.json'), '{ "name": "user", "private": true }');
    cpSync(join(__dirname, 'programs'), this.#installed, { recursive: true });
    const flags = ['--no-audit', '--no-fund', '--prefer-offline'];
    execFileSync('npm', ['install', ...flags, inject('tarball')], {
      cwd: this.#installed,
      stdio: 'pipe',
    });
  }

  /** A new project with the programs of this lane and the package. */
  project(): Project {
    const folder = join(this.#folder, `project-${++this.#projects}`);
    cpSync(this.#installed, folder, { recursive: true });
    return new Project(folder, join(this.#folder, 'node_modules/.bin'));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Build {
  /** Changes the files and commands of the docs. */
  readonly change?: (text: string) => string;
  /** The Node, or Bun, of the commands. */
  readonly runtime?: string;
}

export class Project {
  readonly #tools: string;

  constructor(
    readonly folder: string,
    tools: string,
  ) {
    this.#tools = tools;
  }

  /** Runs what the docs have below these headings. */
  try(headings: readonly string[], { change = (text) => text, runtime }: Build = {}): Output {
    let commands = '';
    for (const heading of headings) {
      const { files, commands: more } = recipe(heading);
      for (const [name, text] of files) writeFileSync(join(this.folder, name), change(text));
      commands += change(more);
    }
    const program = runtime ?? process.execPath;
    const PATH = [dirname(program), this.#tools, process.env.PATH].join(':');
    return start('sh', ['-ec', commands], this.folder, { PATH });
  }

  /** The same, which must succeed. Moves `out` to an empty folder and removes the project: nothing may be loaded from there. */
  build(headings: readonly string[], options: Build = {}): Moved {
    const { status, output } = this.try(headings, options);
    expect(status, output).toBe(0);
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-moved-')));
    renameSync(join(this.folder, 'out'), join(folder, 'out'));
    rmSync(this.folder, { recursive: true });
    return new Moved(join(folder, 'out'), output);
  }
}

/** What a tool made, in a folder of its own. */
export class Moved {
  constructor(
    readonly folder: string,
    /** What the tool printed. */
    readonly printed: string,
  ) {}

  run(command: readonly string[], env: NodeJS.ProcessEnv = {}): Output {
    const [program, ...args] = command;
    return start(program as string, args, this.folder, env);
  }

  node(file: string, env: NodeJS.ProcessEnv = {}): Output {
    return this.run([process.execPath, file], env);
  }

  /** Expects that program.mjs works on its connection, and returns the addon that it loaded. */
  works(command: readonly string[], env: NodeJS.ProcessEnv = {}): string {
    const { status, stdout, output } = this.run(command, env);
    expect(status, output).toBe(0);
    const { keepAlive, state, addons } = JSON.parse(stdout);
    expect(keepAlive).toEqual({ enable: true, initialDelay: 30_000, interval: 5_000, count: 3 });
    expect(state).toBe('ESTABLISHED');
    return addons.join();
  }

  /** The same with an addon from this folder. */
  worksAlone(file: string): void {
    expect(this.works([process.execPath, file])).toMatch(new RegExp(`^${this.folder}/[^,]*$`));
  }

  /** Expects that the program fails with an error of the package, and returns its message. */
  fails(command: readonly string[], env: NodeJS.ProcessEnv = {}): string {
    const { status, output } = this.run(command, env);
    expect(status, output).toBe(1);
    return output;
  }

  remove(): void {
    rmSync(dirname(this.folder), { recursive: true });
  }
}
