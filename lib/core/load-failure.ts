// The error of a missing addon: where it was looked for, and what to do.

import { resolve } from 'node:path';

const NAME = 'socket-options';
const SYSTEM = `${process.platform}-${process.arch}`;
const DISABLED = 'ERR_DLOPEN_DISABLED';

const ALLOW_ADDONS =
  'Addons are disabled in this process: --permission needs --allow-addons, and --no-addons must be removed.';

/** What to write for the tool that made the program. */
const REMEDIES = {
  bundle: `The addon is a separate file. Configure the bundler to copy it:
  esbuild: --loader:.node=copy
  webpack: module: { rules: [{ test: /\\.node$/, type: 'asset/resource' }] }
  Rollup, rolldown, Vite: external: ['${NAME}'], and install it where the program runs`,
  executable: `Write in the configuration of the executable:
  "assets": { "${NAME}.node": "node_modules/${NAME}/prebuilds/${SYSTEM}/${NAME}.node" }
Or put this file beside the executable. Both must have the same owner. If no program may be executed in the folder for temporary
files, set TMPDIR to another one.`,
  restored:
    'Set SOCKET_OPTIONS_PREBUILD to the folder that has prebuilds/, before Node starts from the snapshot.',
  snapshot:
    'A snapshot cannot contain an addon. Use the exports only in functions that run later, and do not copy them before.',
};

/** How the addon was looked for. */
export interface AddonSearch {
  /** The folder of the package; `undefined` in a bundle. */
  readonly root: string | undefined;
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

/** The variables that change where the addon is looked for, as they are set. */
function namedVariables(): string[] {
  return ['SOCKET_OPTIONS_PREBUILD', 'PREBUILDS_ONLY'].flatMap((variable) => {
    const value = process.env[variable];
    return value === undefined ? [] : [`${variable}=${value}`];
  });
}

function notFound(cause: Error, looked: readonly string[]): string {
  const variables = namedVariables();
  // With one of these variables, only node-gyp-build knows the places.
  const places =
    variables.length > 0
      ? [...variables, cause.message.trim()]
      : looked.map((path) => resolve(path));
  const list = places.map((line) => `\n  ${line}`).join('');
  const what = `has no addon for ${SYSTEM} here.`;
  return places.length > 0 ? `${what} Looked for:${list}` : what;
}

function advice(code: string, { root }: AddonSearch): string {
  if (code === DISABLED) return ALLOW_ADDONS;
  if (root === undefined) return REMEDIES.bundle;
  const variables = namedVariables();
  if (variables.length > 0) {
    return `Correct or remove ${variables.join(' and ')}. Without these variables, the addon of the package is used.`;
  }
  return `To compile it, you need a C++ compiler and Python. Run in the folder of your project:\n  npm install --no-save node-gyp node-addon-api && npx node-gyp rebuild --directory "${resolve(root, 'native')}"`;
}

/** Returns the error that each call throws without the addon in a program that a tool made from this package. */
export function bundleError(cause: NodeJS.ErrnoException, tool: keyof typeof REMEDIES): Error {
  const { code = '', message } = cause;
  // The first line of MODULE_NOT_FOUND; the others are the files that require it.
  const [reason] = message.trim().split('\n');
  const remedy = code === DISABLED ? ALLOW_ADDONS : REMEDIES[tool];
  const what = `${NAME} cannot load its addon for ${SYSTEM}: ${reason}.`;
  const error = new Error(`${what}\n${remedy}`, { cause });
  return Object.assign(error, {
    code: code.startsWith('ERR_DLOPEN') ? code : 'ERR_ADDON_NOT_FOUND',
  });
}
