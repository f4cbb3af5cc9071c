// Packs the package once for all test files of this lane.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    tarball: string;
    /** The files in the tarball. */
    packed: string[];
  }
}

export default function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-tarball-'));
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    encoding: 'utf8',
  });
  // The output of prepack precedes the JSON.
  const [report] = JSON.parse(output.slice(output.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  provide('tarball', join(folder, report.filename));
  provide(
    'packed',
    report.files.map(({ path }) => path),
  );
  return () => rmSync(folder, { recursive: true });
}
