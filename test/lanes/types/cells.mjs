// The cells of the matrix: module modes, versions of @types/node, and what must come out of a cell.

/** The ways in which TypeScript finds the types of the package. `until`: the last major version that has the mode. */
export const MODES = [
  { name: 'node10', module: 'commonjs', resolution: 'node10', extension: 'ts', until: 6 },
  { name: 'node16, CommonJS', module: 'node16', resolution: 'node16', extension: 'cts' },
  { name: 'node16, ES modules', module: 'node16', resolution: 'node16', extension: 'mts' },
  { name: 'nodenext, ES modules', module: 'nodenext', resolution: 'nodenext', extension: 'mts' },
  { name: 'bundler', module: 'esnext', resolution: 'bundler', extension: 'ts' },
];

/** The folders in package.json of this lane with versions of @types/node; `null`: it is not installed. */
export const NODE_TYPES = [
  null,
  // For TypeScript 5.0: later versions need 5.3.
  'types-node-20.14',
  ...['types-node-20', 'types-node-24', 'types-node-26'],
];

/** The cell in which planted faults are looked for. */
export const SAMPLE = { mode: 'node16, CommonJS', nodeTypes: 'types-node-20.14' };

const ENTRIES = ['index', 'heartbeat', 'metrics', 'register'];

/** The consumers that a program with these types consists of. */
export const consumersOf = (nodeTypes) => (nodeTypes === null ? ['without-node'] : ENTRIES);

/** The compiler options of a cell, as in tsconfig.json. */
export function optionsOf({ mode, skipLibCheck }, major) {
  return {
    module: mode.module,
    moduleResolution: mode.resolution,
    target: 'es2022',
    lib: ['es2022'],
    strict: true,
    noEmit: true,
    skipLibCheck,
    ...(mode.resolution === 'node10' && major >= 6 ? { ignoreDeprecations: '6.0' } : {}),
  };
}

/** Returns what is wrong with the diagnostics of a cell, as lines of text. */
export function problemsOf({ nodeTypes, skipLibCheck }, diagnostics) {
  if (nodeTypes !== null || skipLibCheck) return diagnostics.map(textOf);
  // Without @types/node there must be an error that names it, in the types of the package.
  const isClear = ({ code, file, message }) =>
    code === 2688 && /index\.d\.ts$/.test(file) && message.includes("'node'");
  const others = diagnostics.filter(({ file }) => !file.endsWith('.d.ts')).map(textOf);
  return diagnostics.some(isClear) ? others : [...others, 'no error names @types/node'];
}

const textOf = ({ file, code, message }) => `${file}: TS${code}: ${message}`;
