// Says once which binary the suite runs on, so that no report leaves it open.

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
