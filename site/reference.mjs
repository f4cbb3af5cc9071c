// The reference: a page for each public symbol, which TypeDoc makes from the JSDoc of the entry points.

import { fileURLToPath } from 'node:url';
import { Application, Converter } from 'typedoc';

const lib = fileURLToPath(new URL('../lib/', import.meta.url));

/** The files of lib/ that package.json exports, and how they are imported. */
export const ENTRY_POINTS = {
  index: 'socket-options',
  heartbeat: 'socket-options/heartbeat',
  metrics: 'socket-options/metrics',
};

export async function writeReference(folder) {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: Object.keys(ENTRY_POINTS).map((name) => `${lib}${name}.ts`),
    tsconfig: `${lib}../tsconfig.build.json`,
    basePath: lib,
    out: folder,
    readme: 'none',
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    // The repository has no address that is known here.
    disableSources: true,
    validation: { notExported: false },
    logLevel: 'Warn',
    entryFileName: 'index',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    hideGroupHeadings: false,
    expandParameters: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    indexFormat: 'table',
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read lib/');
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('TypeDoc reported problems');
}
