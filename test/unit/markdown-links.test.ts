// The links and anchors of Markdown pages, by which scripts/check-links.mjs, the tarball's test and the site are checked.

import { join } from 'node:path';
import { expect, test } from 'vitest';

async function links() {
  return await import(join(__dirname, '../../scripts/markdown-links.mjs'));
}

test('finds links and images with their lines, and none in code', async () => {
  const { linksOf } = await links();
  const page = [
    'A [guide](guide.md) and ![an image](images/one.svg)',
    '`[not](a-link.md)`',
    '```js',
    'array[0](argument) + [not](a-link.md)',
    '```',
    '| [cell](cell.md#anchor) |',
  ].join('\n');
  expect(linksOf(page)).toEqual([
    { target: 'guide.md', line: 1 },
    { target: 'images/one.svg', line: 1 },
    { target: 'cell.md#anchor', line: 6 },
  ]);
});

test.each([
  ['guide.md#a', { file: 'docs/guide.md', anchor: 'a' }],
  ['../README.md', { file: 'README.md', anchor: '' }],
  ['../examples/prometheus/', { file: 'examples/prometheus', anchor: '' }],
  ['#a', { file: 'docs/page.md', anchor: 'a' }],
])('resolves %s from the folder of the page', async (target, place) => {
  const { resolveLink } = await links();
  expect(resolveLink('docs/page.md', target)).toEqual(place);
});

test.each([
  ['https://example.com', false],
  ['mailto:a@example.com', false],
  ['//example.com', false],
  ['guide.md', true],
  ['#anchor', true],
])('%s is a link within the repository: %s', async (target, internal) => {
  const { isInternal } = await links();
  expect(isInternal(target)).toBe(internal);
});

test('makes anchors as GitHub does', async () => {
  const { anchorsOf } = await links();
  const page = [
    '# Which of these 8 000 connections are dead?',
    '## `TCP_USER_TIMEOUT`, and [links](guide.md)',
    '## SO_REUSEADDR, SO_REUSEPORT',
    '## Again',
    '### Again',
    '```sh',
    '# a comment',
    '```',
  ].join('\n');
  expect(anchorsOf(page)).toEqual([
    'which-of-these-8-000-connections-are-dead',
    'tcp_user_timeout-and-links',
    'so_reuseaddr-so_reuseport',
    'again',
    'again-1',
  ]);
});
