// Prints which binary the tests run on, so that every report contains it.

import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

export default function setup(): void {
  const root = join(__dirname, '../..');
  const { resolve } = createRequire(__filename)('node-gyp-build') as {
    resolve: (root: string) => string;
  };
  console.log(
    `socket-options: testing ${relative(root, resolve(root))} on Node ${process.version}, ${process.platform}-${process.arch}\n`,
  );
}
