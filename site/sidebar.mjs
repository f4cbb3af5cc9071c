// The navigation: by task first, then questions, the reference, and what contributors need. The many pages of options, symbols
// and decisions have lists of their own.

import { readdirSync, readFileSync } from 'node:fs';
import { ENTRY_POINTS } from './reference.mjs';

const pages = new URL('pages/', import.meta.url);

/** The lists, by the beginning of the address at which they are shown. */
export function sidebar() {
  const links = new Set(guides().flatMap(({ items }) => items.map(({ link }) => link)));
  const missing = namesIn('.').filter((name) => !links.has(`/${name}`));
  if (missing.length > 0)
    throw new Error(`pages that site/sidebar.mjs lacks: ${missing.join(', ')}`);
  return {
    '/options/': [
      { text: 'Options', link: '/options', items: pagesOf('options') },
      { text: 'All pages', link: '/' },
    ],
    '/reference/': [
      ...Object.values(ENTRY_POINTS).flatMap(entryPoint),
      { text: 'All pages', link: '/' },
    ],
    '/decisions/': [
      { text: 'Decisions', link: '/decisions/', items: decisions() },
      { text: 'All pages', link: '/' },
    ],
    '/': guides(),
  };
}

function guides() {
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
        page('Every symbol', 'reference/socket-options/'),
        page('Options', 'options'),
        page('Fields of TCP_INFO', 'tcp-state#systems'),
        page('Errors', 'errors'),
        page('Systems', 'systems'),
        page('Runtimes', 'runtimes'),
        page('Kernels', 'kernels'),
        page('Windows', 'windows'),
        page('Bundlers', 'bundlers'),
        page('TypeScript', 'typescript'),
        page('Benchmarks', 'benchmarks'),
        page('Decisions', 'decisions/'),
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
        page('What the tests prove', 'tests'),
        page('What the tests need', 'testing'),
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

/** The names of the pages in a folder. */
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
  functions: 'functions',
  classes: 'classes',
  variables: 'values',
  interfaces: 'interfaces',
  'type-aliases': 'types',
};

/** The symbols of an entry point, a list for each kind. */
function entryPoint(name) {
  const folder = `reference/${name}`;
  const kinds = readdirSync(new URL(`${folder}/`, pages));
  return Object.entries(KINDS)
    .filter(([kind]) => kinds.includes(kind))
    .map(([kind, title]) => ({
      text: `${name}: ${title}`,
      collapsed: kind !== 'functions' && kind !== 'classes',
      items: pagesOf(`${folder}/${kind}`),
    }));
}

/** The decisions, by their headings. */
function decisions() {
  return namesIn('decisions').map((name) => {
    const text = readFileSync(new URL(`decisions/${name}.md`, pages), 'utf8');
    return page(/^# (.*)$/m.exec(text)[1].replaceAll('`', ''), `decisions/${name}`);
  });
}
