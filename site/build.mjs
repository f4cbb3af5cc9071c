// Builds the site into site/dist/ and checks its links. `npm run docs -- --base=/folder/` builds it for a folder of a host.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vitepress';
import { checkSite } from './check.mjs';
import { writePages } from './pages.mjs';

const { base } = parseArgs({ options: { base: { type: 'string', default: '/' } } }).values;

await writePages();
const site = fileURLToPath(new URL('.', import.meta.url));
await build(site, { base });
await checkSite(`${site}dist`, base);
