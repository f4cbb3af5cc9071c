// The links and headings of a Markdown page. scripts/check-links.mjs, the package's tests and site/ use it.

import { posix } from 'node:path';

/** A link or an image: `[text](target)`. A target has no spaces and no brackets. */
const LINK = /\]\(([^()\s]+)\)/g;
const HEADING = /^#{1,6} +(.+?) *#* *$/gm;

/** The text without code, which may look like links and headings. Lines stay in their places. */
function withoutCode(text) {
  return text
    .replaceAll(/^( *)(`{3,}|~{3,}).*\n[\s\S]*?^\1\2$/gm, (block) => block.replaceAll(/[^\n]/g, ''))
    .replaceAll(/(`+)[^`\n].*?\1/g, (code) => ' '.repeat(code.length));
}

/** The links of a page, each with its line. */
export function linksOf(text) {
  const prose = withoutCode(text);
  return [...prose.matchAll(LINK)].map(({ 1: target, index }) => ({
    target,
    line: prose.slice(0, index).split('\n').length,
  }));
}

/** Whether a link leads to a file of the repository, or into the page itself. */
export function isInternal(target) {
  return !/^[a-z][a-z+.-]*:|^\/\//i.test(target);
}

/** The file to which an internal link of `page` leads, and the anchor in it; both are paths from the repository's root. */
export function resolveLink(page, target) {
  const [path, anchor = ''] = target.split('#');
  const file = path === '' ? page : posix.join(posix.dirname(page), decodeURIComponent(path));
  return { file: file.replace(/\/$/, ''), anchor: decodeURIComponent(anchor) };
}

/** The anchor of a heading, as GitHub makes it from the visible text. */
export function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** The anchors of all headings of a page. The second heading of the same text gets `-1`. */
export function anchorsOf(text) {
  const prose = text.replaceAll(/^( *)(`{3,}|~{3,}).*\n[\s\S]*?^\1\2$/gm, '');
  const counts = new Map();
  return [...prose.matchAll(HEADING)].map(([, heading]) => {
    const anchor = anchorOf(heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}
