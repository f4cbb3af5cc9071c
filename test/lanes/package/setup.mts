// Packs the package once for all test files of this lane.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { pack } from '../../support/pack.cjs';

declare module 'vitest' {
  export interface ProvidedContext {
    tarball: string;
    /** The files in the tarball. */
    packed: string[];
  }
}

export default function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-tarball-'));
  const { tarball, files } = pack(folder);
  provide('tarball', tarball);
  provide('packed', files);
  return () => rmSync(folder, { recursive: true });
}
