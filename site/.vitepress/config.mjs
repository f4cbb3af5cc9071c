// The site's title, navigation, search and Markdown. The pages are made by pages.mjs.

import { defineConfig } from 'vitepress';
import { anchorOf } from '../../scripts/markdown-links.mjs';
import { sidebar } from '../sidebar.mjs';

export default defineConfig({
  title: 'socket-options',
  description:
    'Low-level socket options for Node.js: keepalive, user timeout, dead peers, TCP_INFO, heartbeats',
  lang: 'en',
  // Browsers would ask for /favicon.ico.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'node_modules/.cache/vitepress',
  markdown: {
    // As on GitHub, so that a link with an anchor works in both places.
    anchor: { slugify: anchorOf },
    // Code without a language is output of a terminal.
    defaultHighlightLang: 'text',
    config: ({ renderer: { rules } }) => {
      // Examples of the JSDoc are indented.
      rules.code_block = (tokens, index, ...more) => {
        tokens[index].info = 'js';
        return rules.fence(tokens, index, ...more);
      };
    },
  },
  // The first page has the title of the site.
  transformPageData: (page) =>
    page.relativePath === 'index.md' ? { titleTemplate: ':title' } : {},
  themeConfig: {
    sidebar: sidebar(),
    nav: [
      { text: 'Dead peers', link: '/dead-peers' },
      { text: 'Incidents', link: '/incidents' },
      { text: 'Options', link: '/options' },
      { text: 'Functions', link: '/functions' },
      { text: 'Questions', link: '/faq' },
    ],
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          options: {
            // Names are words: TCP_KEEPIDLE, net.ipv4.tcp_retries2.
            tokenize: (text) =>
              text.split(/[^\p{L}\p{N}_.]+/u).map((word) => word.replace(/^\.+|\.+$/g, '')),
            // "user timeout" finds userTimeout and TCP_USER_TIMEOUT.
            processTerm: (term) =>
              [term, ...(term.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [])].map((word) =>
                word.toLowerCase(),
              ),
          },
          searchOptions: {
            processTerm: (term) => term.toLowerCase(),
            boostDocument: (id) => (/\/(decisions|changelog|tests|testing)\b/.test(id) ? 0.3 : 1),
          },
        },
      },
    },
  },
});
