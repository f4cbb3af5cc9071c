// Which file of lib/ may import which: `npm run check:imports`. Imports of types count too, except where a
// rule says otherwise. docs/architecture.md ("Layers") explains the layers.

/** Folders with an entry point of their own. Their bundles load that of lib/index.ts. */
const ENTRY_POINTS = '^lib/(cli|heartbeat|metrics|peer-registry|register)(/|\\.ts$)';

/** Each bundle may have a copy of these. Of the addon, its memory and the error classes there must be one. */
const COPYABLE = [
  '^lib/catalogue/',
  '^lib/core/(builtins|channels|due-queue|duration|replace-method|schedule|supervised-mark|suggest|text|throw-uncaught|validate)\\.ts$',
  '^lib/dead-peer/timeline\\.ts$',
  '^lib/system-defaults/retransmission-time\\.ts$',
  '^lib/connections/(problem|problems|state-names|undetectable-problems)\\.ts$',
  '^lib/metrics/(exposition|histogram)\\.ts$',
  '^lib/tcp-info/(states|tcp-info)\\.ts$',
];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-cycles-of-folders',
      comment: 'Capabilities build on each other in one direction.',
      scope: 'folder',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'catalogue-imports-nothing',
      comment: 'The catalogue is data.',
      severity: 'error',
      from: { path: '^lib/catalogue/' },
      to: { pathNot: '^lib/catalogue/' },
    },
    {
      name: 'core-imports-no-capability',
      severity: 'error',
      from: { path: '^lib/core/' },
      to: { path: '^lib/', pathNot: '^lib/(core|catalogue)/' },
    },
    {
      name: 'index-is-for-entry-points',
      comment: 'A capability imports what it uses from the file that has it.',
      severity: 'error',
      from: { path: '^lib/', pathNot: ENTRY_POINTS },
      to: { path: '^lib/index\\.ts$' },
    },
    {
      name: 'entry-points-are-not-imported',
      comment: 'Nor are their types: an entry point stands above index.ts.',
      severity: 'error',
      from: { path: '^lib/', pathNot: ENTRY_POINTS },
      to: { path: ENTRY_POINTS },
    },
    {
      name: 'entry-points-import-index',
      comment:
        'A second copy of a module with state would be a second addon, or a second error class.',
      severity: 'error',
      from: { path: ENTRY_POINTS },
      to: {
        path: '^lib/',
        pathNot: ['^lib/index\\.ts$', ENTRY_POINTS, ...COPYABLE],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'copies-have-no-addon',
      severity: 'error',
      from: { path: COPYABLE },
      to: { path: '^lib/core/(addon|errors|record-buffer|socket)\\.ts$', reachable: true },
    },
    {
      name: 'cli-is-imported-by-nobody',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/cli/' },
      to: { path: '^lib/cli/' },
    },
    {
      name: 'lib-imports-nothing-outside',
      comment:
        'Only lib/, the system and what npm installs for users. The command line reads its version. Bundlers follow the paths of prebuilds.',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        pathNot: ['^lib/', '^node_modules/node-gyp-build/', '^package\\.json$', '^prebuilds/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'no-missing-files',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
