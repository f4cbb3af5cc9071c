// Shows the site while somebody writes: a change in docs/ is in the browser at once. Other pages are made once.

import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vitepress';
import { writeDocs, writePages } from './pages.mjs';

await writePages();
watch(new URL('../docs', import.meta.url), { recursive: true }, () => writeDocs());
const server = await createServer(fileURLToPath(new URL('.', import.meta.url)));
await server.listen();
server.printUrls();
