// What to say, and to advise, when there is no addon. Loaded only then.

import { resolve } from 'node:path';

const NAME = 'socket-options';

/** Where the addon was looked for. */
export interface Search {
  readonly root: string;
  /** Whether the code still runs where it was installed. */
  readonly isInstalled: boolean;
  readonly looked: readonly string[];
  /** What was found, and did not load. */
  readonly path: string | undefined;
}

/**
 * The error of the first call, when the addon could not be loaded: `ERR_ADDON_NOT_FOUND` where there
 * is none, else the code of the attempt to load `path`, which is its `cause`.
 */
export function explain(cause: NodeJS.ErrnoException, search: Search): Error {
  const { path, looked } = search;
  const found = path !== undefined;
  const code = found ? (cause.code ?? 'ERR_DLOPEN_FAILED') : 'ERR_ADDON_NOT_FOUND';
  const what = found ? `cannot load ${resolve(path)}: ${cause.message}` : notFound(cause, looked);
  const error = new Error(`${NAME} ${what}\n${advice(code, search)}`, { cause });
  return Object.assign(error, { code });
}

function notFound(cause: Error, looked: readonly string[]): string {
  const variables = ['SOCKET_OPTIONS_PREBUILD', 'PREBUILDS_ONLY'].flatMap((variable) => {
    const value = process.env[variable];
    return value === undefined ? [] : [`${variable}=${value}`];
  });
  // Where variables sent it, node-gyp-build knows alone.
  const places =
    variables.length > 0
      ? [...variables, cause.message.trim()]
      : looked.map((path) => resolve(path));
  const list = places.map((line) => `\n  ${line}`).join('');
  const what = `has no addon for ${process.platform}-${process.arch} here.`;
  return places.length > 0 ? `${what} Looked for:${list}` : what;
}

function advice(code: string, { root, isInstalled }: Search): string {
  if (code === 'ERR_DLOPEN_DISABLED') {
    return 'Addons are switched off in this process: with --permission it needs --allow-addons, and --no-addons must go.';
  }
  if (!isInstalled) {
    return `This code was bundled, and the addon is a file of its own, which a bundler leaves behind: mark ${NAME} as external (esbuild: --external:${NAME}; rolldown, Rollup: external: ['${NAME}']; webpack: externals: { '${NAME}': 'commonjs ${NAME}' }) and install it where the bundle runs.`;
  }
  return `To compile it, with a C++ compiler and Python, in the folder of your project:\n  npm install --no-save node-gyp node-addon-api && npx node-gyp rebuild --directory "${resolve(root, 'native')}"`;
}
