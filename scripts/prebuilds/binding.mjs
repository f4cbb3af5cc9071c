// Reads binding.gyp for build.mjs, for targets that node-gyp cannot build here: node-gyp compiles only for
// the system that it runs on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

const GYP_NAMES = { linux: 'linux', darwin: 'mac', win32: 'win', freebsd: 'freebsd' };

function parse(root) {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8');
  // A Python literal. Without its comments it is a JavaScript literal too.
  return runInNewContext(`(${text.replace(/^\s*#.*$/gm, '')})`).targets[0];
}

/** The prebuilt addon's sources, flags and libraries on a system, by the name that Node gives the system. */
export function binding(root, platform) {
  const target = parse(root);
  const parts = [target];
  for (const key of ['conditions', 'target_conditions']) {
    for (const [condition, part, ...rest] of target[key]) {
      const [, system] = condition.match(/^OS=="(\w+)"$/) ?? [];
      // This file reads no other conditions, and must not ignore one silently.
      if (system === undefined || rest.length > 0) throw new Error(`binding.gyp: ${condition}`);
      if (system === GYP_NAMES[platform]) parts.push(part);
    }
  }
  const all = (key) => parts.flatMap((part) => part[key] ?? []);
  return {
    target: target.target_name,
    // A prebuilt addon has no C++ library on any system. node-gyp links one on macOS and Windows.
    sources: [...new Set([...all('sources'), 'native/runtime.cc'])],
    defines: all('defines'),
    cflags: [...all('cflags'), ...all('cflags_cc')],
    libraries: all('libraries'),
  };
}
