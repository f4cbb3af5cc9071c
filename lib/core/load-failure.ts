// The error of a missing addon: where it was looked for, and what to do.

import { resolve } from 'node:path';

const NAME = 'socket-options';

/** How the addon was looked for. */
export interface AddonSearch {
  readonly root: string;
  /** Whether the code runs in the folder of the package, and not in a bundle. */
  readonly isInstalled: boolean;
  readonly looked: readonly string[];
  /** The file that was found and could not be loaded. */
  readonly path: string | undefined;
}

/**
 * Returns the error that each call throws without the addon. Its code is `ERR_ADDON_NOT_FOUND` if there is no addon,
 * otherwise the code of the failed attempt to load it, which is the `cause`.
 */
export function addonError(cause: NodeJS.ErrnoException, search: AddonSearch): Error {
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
  // With one of these variables, only node-gyp-build knows the places.
  const places =
    variables.length > 0
      ? [...variables, cause.message.trim()]
      : looked.map((path) => resolve(path));
  const list = places.map((line) => `\n  ${line}`).join('');
  const what = `has no addon for ${process.platform}-${process.arch} here.`;
  return places.length > 0 ? `${what} Looked for:${list}` : what;
}

function advice(code: string, { root, isInstalled }: AddonSearch): string {
  if (code === 'ERR_DLOPEN_DISABLED') {
    return 'Addons are disabled in this process: --permission needs --allow-addons, and --no-addons must be removed.';
  }
  if (!isInstalled) {
    return `This code was bundled, and a bundler does not copy the addon, which is a separate file. Mark ${NAME} as external (esbuild: --external:${NAME}; rolldown, Rollup: external: ['${NAME}']; webpack: externals: { '${NAME}': 'commonjs ${NAME}' }) and install it where the bundle runs.`;
  }
  return `To compile it, you need a C++ compiler and Python. Run in the folder of your project:\n  npm install --no-save node-gyp node-addon-api && npx node-gyp rebuild --directory "${resolve(root, 'native')}"`;
}
