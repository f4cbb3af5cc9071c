// A project that has installed the package and the tools, and the files and commands of docs/bundlers.md, which the tests run as they
// are written there.

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
import { inject } from 'vitest';
import { installed } from '../../support/cache.cjs';

const docs = readFileSync(join(__dirname, '../../../docs/bundlers.md'), 'utf8');

interface Recipe {
  /** The files to write, by name. */
  readonly files: ReadonlyMap<string, string>;
  readonly commands: string;
}

/** Returns the code blocks below a heading. The line before the block of a file is its name. */
function recipe(heading: string): Recipe {
  const sections = docs.split(/^#+ /m).filter((one) => one.startsWith(`${heading}\n`));
  if (sections.length !== 1)
    throw new Error(`${sections.length} headings "${heading}" in the docs`);
  const files = new Map<string, string>();
  let commands = '';
  const blocks = (sections[0] as string).matchAll(
    /(?:^`([\w./-]+)`:\n+)?^```(\w+)\n([\s\S]*?)^```$/gm,
  );
  for (const [, name, language, text = ''] of blocks) {
    if (name !== undefined) files.set(name, text);
    else if (language === 'sh') commands += text;
  }
  return { files, commands };
}

export interface Output {
  readonly status: number | null;
  readonly output: string;
}

function start(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Output {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PREBUILDS_ONLY: undefined, SOCKET_OPTIONS_PREBUILD: undefined, ...env },
  });
  if (error) throw error;
  return { status, output: stdout + stderr };
}

/** The folder of everything that one test file makes. */
export class Workshop {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-bundlers-')));
  readonly #installed = join(this.folder, 'installed');
  #made = 0;

  constructor() {
    // Beside the projects, where Node looks for packages that a project itself has not installed.
    symlinkSync(installed('bundlers', __dirname), join(this.folder, 'node_modules'));
    mkdirSync(this.#installed);
    writeFileSync(join(this.#installed, 'package.json'), '{ "name": "user", "private": true }');
    cpSync(join(__dirname, 'programs'), this.#installed, { recursive: true });
    execFileSync('npm', ['install', '--no-audit', '--no-fund', inject('tarball')], {
      cwd: this.#installed,
      stdio: 'pipe',
    });
  }

  /** A new project with the programs of this lane and the package. */
  project(): Project {
    const folder = join(this.folder, `project-${++this.#made}`);
    cpSync(this.#installed, folder, { recursive: true });
    return new Project(folder, join(this.folder, 'node_modules/.bin'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Project {
  constructor(
    readonly folder: string,
    readonly tools: string,
  ) {}

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Runs what the docs have below a heading, after a change to the texts. `node` is the Node of the commands. */
  build(heading: string, change = (text: string) => text, node = process.execPath): Output {
    const { files, commands } = recipe(heading);
    for (const [name, text] of files) this.write(name, change(text));
    return this.run(change(commands), node);
  }

  /** Runs commands with the tools in the path. */
  run(commands: string, node = process.execPath): Output {
    const PATH = [dirname(node), this.tools, process.env.PATH].join(':');
    return start('sh', ['-ec', commands], this.folder, { PATH });
  }

  /** Moves the output to an empty folder, and removes the project: nothing may be loaded from there. */
  move(output = 'out'): Moved {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-moved-')));
    renameSync(join(this.folder, output), join(folder, 'out'));
    rmSync(this.folder, { recursive: true });
    return new Moved(join(folder, 'out'));
  }
}

/** What a tool made, in a folder of its own. */
export class Moved {
  constructor(readonly folder: string) {}

  /** Runs a program with Node, or the executable itself. */
  run([program, ...args]: string[], env: NodeJS.ProcessEnv = {}): Output {
    return start(program as string, args, this.folder, env);
  }

  node(file: string, env: NodeJS.ProcessEnv = {}): Output {
    return this.run([process.execPath, file], env);
  }

  remove(): void {
    rmSync(dirname(this.folder), { recursive: true });
  }
}
