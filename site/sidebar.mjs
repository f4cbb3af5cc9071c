// The navigation: by task first, then the reference, then questions, then what contributors need.

import { readdirSync, readFileSync } from 'node:fs';
import { ENTRY_POINTS } from './reference.mjs';

const pages = new URL('pages/', import.meta.url);

export function sidebar() {
  return [
    {
      text: 'Tasks',
      items: [
        page('Install', 'installing'),
        page('Dead peers', 'dead-peers'),
        page('Drivers and libraries', 'drivers'),
        page('Without a change of code', 'register'),
        page('Servers of many devices', 'heartbeats'),
        page('Connection pools', 'pools'),
        page('Before the first packet', 'before-connect'),
        page('TCP state', 'tcp-state'),
        page('Metrics', 'metrics'),
        page('Traps', 'traps'),
      ],
    },
    {
      text: 'Incidents',
      items: [
        page('Four incidents', 'incidents'),
        page('Command line', 'command-line'),
        page('Problems, channels, logs', 'diagnostics'),
      ],
    },
    {
      text: 'Help',
      items: [
        page('Questions', 'faq'),
        page('Migration', 'migration'),
        page('Glossary', 'glossary'),
      ],
    },
    {
      text: 'Reference',
      items: [
        page('Functions', 'functions'),
        ...Object.values(ENTRY_POINTS).map(entryPoint),
        { ...page('Options', 'options'), collapsed: true, items: pagesOf('options') },
        page('Fields of TCP_INFO', 'tcp-state#systems'),
        page('Errors', 'errors'),
        page('Systems', 'systems'),
        page('Runtimes', 'runtimes'),
        page('Kernels', 'kernels'),
        page('Windows', 'windows'),
        page('Benchmarks', 'benchmarks'),
        { ...page('Decisions', 'decisions/'), collapsed: true, items: decisions() },
        page('Support and versions', 'support'),
        page('Changelog', 'changelog'),
      ],
    },
    {
      text: 'Contributing',
      collapsed: true,
      items: [
        page('How to contribute', 'contributing'),
        page('Architecture', 'architecture'),
        page('What the tests need', 'testing'),
        page('What the tests prove', 'tests'),
        page('Releasing', 'releasing'),
        page('Style', 'style'),
        page('Security', 'security'),
        page('Conduct', 'conduct'),
      ],
    },
  ];
}

function page(text, link) {
  return { text, link: `/${link}` };
}

/** The names of the Markdown files in a folder of pages. */
function namesIn(folder) {
  return readdirSync(new URL(`${folder}/`, pages))
    .filter((file) => file.endsWith('.md') && file !== 'index.md')
    .map((file) => file.slice(0, -3))
    .sort((one, other) => one.localeCompare(other, 'en'));
}

function pagesOf(folder) {
  return namesIn(folder).map((name) => page(name, `${folder}/${name}`));
}

const KINDS = {
  functions: 'Functions',
  classes: 'Classes',
  interfaces: 'Interfaces',
  'type-aliases': 'Types',
  variables: 'Values',
};

/** The symbols of an entry point, by kind. */
function entryPoint(name) {
  const folder = `reference/${name}`;
  const kinds = readdirSync(new URL(`${folder}/`, pages));
  const items = Object.entries(KINDS)
    .filter(([kind]) => kinds.includes(kind))
    .map(([kind, text]) => ({ text, collapsed: true, items: pagesOf(`${folder}/${kind}`) }));
  return { ...page(name, `${folder}/`), collapsed: true, items };
}

/** The decisions, by their headings. */
function decisions() {
  return namesIn('decisions').map((name) => {
    const text = readFileSync(new URL(`decisions/${name}.md`, pages), 'utf8');
    return page(/^# (.*)$/m.exec(text)[1].replaceAll('`', ''), `decisions/${name}`);
  });
}
