// The reference: a page for each public symbol, which TypeDoc makes from the JSDoc of the entry points.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Application, CommentTag, Converter, ReflectionKind } from 'typedoc';
import { linkSources } from './sources.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** How each entry point is imported, by the name of its file in lib/. */
export const ENTRY_POINTS = Object.fromEntries(
  Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.slice(2))
    .map((name) => [name || 'index', [manifest.name, name].filter(Boolean).join('/')]),
);

export async function writeReference(folder) {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: Object.keys(ENTRY_POINTS).map((name) => `${root}lib/${name}.ts`),
    tsconfig: `${root}tsconfig.build.json`,
    out: folder,
    readme: 'none',
    excludeExternals: true,
    excludeInternal: true,
    // The address of the repository is not known here.
    disableSources: true,
    validation: { notExported: false },
    logLevel: 'Warn',
    entryFileName: 'index',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    pageTitleTemplates: { module: '{name}', member: '{name}' },
    useCodeBlocks: true,
    blockTagsPreserveOrder: ['@example'],
    expandParameters: true,
    parametersFormat: 'table',
    indexFormat: 'table',
  });
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) reflection.name = ENTRY_POINTS[reflection.name];
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      if (reflection.comment) tidy(reflection.comment);
      dropRepeated(reflection.signatures ?? []);
    }
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc cannot read lib/');
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('TypeDoc reported problems');
}

/** All errors come under one heading, and sources become links. */
function tidy(comment) {
  const thrown = comment.getTags('@throws');
  if (thrown.length > 1) {
    const content = thrown.flatMap((tag) => [{ kind: 'text', text: '\n- ' }, ...tag.content]);
    const all = new CommentTag('@throws', content);
    comment.blockTags = comment.blockTags
      .map((tag) => (tag === thrown[0] ? all : tag))
      .filter((tag) => tag === all || tag.tag !== '@throws');
  }
  for (const part of comment.getTags('@see').flatMap((tag) => tag.content)) {
    if (part.kind === 'text') part.text = linkSources(part.text);
  }
}

/** TypeDoc repeats the JSDoc of an overloaded function for each of its signatures. */
function dropRepeated([first, ...others]) {
  for (const signature of others) {
    if (String(signature.comment?.summary) === String(first.comment?.summary))
      delete signature.comment;
  }
}
