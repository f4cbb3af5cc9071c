// What makes loading the package slow or large, as far as it can be tested without a clock. `npm run bench` measures it.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const dist = join(__dirname, '../../dist');

/** Loads an entry point in a new process, after other modules. Returns the modules of Node that it loads. */
function builtinsOf(entry: string, before: readonly string[]): string[] {
  const code = `
    const { builtinModules } = require('node:module');
    const loaded = () => builtinModules.filter((name) => process.moduleLoadList.includes('NativeModule ' + name));
    for (const name of ${JSON.stringify(before)}) require(name);
    const before = loaded();
    require(${JSON.stringify(join(dist, entry))});
    const more = loaded().filter((name) => !before.includes(name));
    // Not console.log(), which loads node:net for a pipe.
    require('node:fs').writeSync(1, JSON.stringify(more));`;
  return JSON.parse(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })) as string[];
}

describe('modules of Node', () => {
  // node-gyp-build loads node:os, which Node 20 has loaded already.
  test.each(['index.js', 'heartbeat.js', 'metrics.js'])(
    '%s loads none in a program that has loaded node:net and node:os',
    (entry) => {
      expect(builtinsOf(entry, ['node:net', 'node:os'])).toEqual([]);
    },
  );

  test('register.js loads only node:worker_threads besides', () => {
    const before = ['node:net', 'node:os'];
    expect(builtinsOf('register.js', before)).toEqual(['worker_threads']);
  });

  test('heartbeat.js does not load node:net', () => {
    // Later versions than Node 20 have this one already.
    expect(builtinsOf('heartbeat.js', ['node:diagnostics_channel', 'node:os'])).toEqual([]);
  });
});

test('every bundle is ASCII: V8 keeps others with two bytes for each character', () => {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  const bundles = files.filter((file) => file.endsWith('.js'));
  expect(bundles.length).toBeGreaterThan(5);
  for (const file of bundles) {
    const text = readFileSync(join(dist, file), 'utf8');
    expect(/[^\0-\x7f]/.exec(text)?.[0], file).toBeUndefined();
  }
});
