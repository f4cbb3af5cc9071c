// Checks that every link of the built site leads to a file that exists, and to an anchor of it. VitePress checks only that pages
// exist.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Fails with the list of broken links. `base` is the path of the site on its host. */
export function checkSite(folder, base) {
  const pages = new Map(
    readdirSync(folder, { recursive: true })
      .filter((file) => file.endsWith('.html'))
      .map((file) => [file, readFileSync(`${folder}/${file}`, 'utf8')]),
  );
  const anchors = new Map([...pages].map(([file, html]) => [file, attributesOf(html, 'id')]));
  const problems = new Map();
  let checked = 0;
  for (const [file, html] of pages) {
    for (const link of [...attributesOf(html, 'href'), ...attributesOf(html, 'src')]) {
      if (/^[a-z]+:|^\/\//i.test(link)) continue;
      checked++;
      const problem = problemOf(link, file);
      // A link of the navigation is on every page.
      if (problem !== undefined) problems.set(`${link} ${problem}`, file);
    }
  }
  console.log(`${checked} links in ${pages.size} pages of the site`);
  if (problems.size === 0) return;
  for (const [problem, file] of problems) console.error(`${file}: ${problem}`);
  throw new Error('the site has broken links');

  function problemOf(link, page) {
    const [path, anchor] = decodeURI(link).split('#');
    if (path.startsWith('/') && !path.startsWith(base)) return `is not below ${base}`;
    const file = path.startsWith('/')
      ? path.slice(base.length)
      : posix.join(posix.dirname(page), path || posix.basename(page));
    const place = file === '' || file.endsWith('/') ? `${file}index.html` : file;
    if (!existsSync(`${folder}/${place}`)) return 'does not exist';
    return anchor && anchors.get(place)?.has(anchor) === false ? 'has no such anchor' : undefined;
  }
}

function attributesOf(html, name) {
  return new Set(
    [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => unescaped(value)),
  );
}

function unescaped(text) {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");
}
