// Every package manager installs the tarball without running, refusing or mentioning a script, and the installed
// package works on real sockets.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { name } from '../../../package.json';
import { type Manager, managers, type Outcome, runManager } from './managers';

// The managers are only pinned for Linux x64.
const elsewhere = `pinned for linux-x64, and this is ${process.platform}-${process.arch}`;
const here = process.platform === 'linux' && process.arch === 'x64';

/**
 * Messages about install scripts, warnings and errors. The excluded codes of Yarn are plain text, added packages
 * (two codes), and the warning that its own loader is experimental.
 */
const COMPLAINT =
  /warn|error|notice|script|ignored|blocked|untrusted|approve|deprecated|(pre|post)?install(ed|ing)? hook|node-gyp(?!-build)|\bbuil(d|t|ding)\b|YN0(?!000|013|085|092)/i;

function complaints({ output }: Outcome, { harmless }: Manager): string[] {
  return output
    .split('\n')
    .filter(
      (line) => COMPLAINT.test(line.replaceAll('node-gyp-build', '')) && !harmless?.test(line),
    );
}

describe.each(managers)('$name', (manager) => {
  let folder: string;
  let project: string;
  let outcome: Outcome;

  beforeAll(() => {
    if (!here) return;
    folder = mkdtempSync(join(tmpdir(), 'socket-options-manager-'));
    project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "name": "user", "private": true }');
    const command = [...manager.command(), ...manager.install(inject('tarball'))];
    outcome = runManager(command, manager, project, join(folder, 'home'));
  });
  afterAll(() => {
    if (here) rmSync(folder, { recursive: true });
  });

  test('installs the package without running or mentioning a script', ({ skip }) => {
    skip(!here, elsewhere);
    expect(outcome.status, outcome.output).toBe(0);
    expect(complaints(outcome, manager), outcome.output).toEqual([]);
    const installed = manager.installed?.(project) ?? join(project, 'node_modules', name);
    const addon = `prebuilds/${process.platform}-${process.arch}/${name}.node`;
    expect(existsSync(join(installed, addon))).toBe(true);
    // Yarn 1 runs a script, or compiles a binding.gyp, silently.
    expect(readFileSync(join(installed, 'package.json'), 'utf8')).not.toContain('"scripts"');
    expect(existsSync(join(installed, 'binding.gyp'))).toBe(false);
    expect(existsSync(join(installed, 'build'))).toBe(false);
  });

  test('the installed package reads back every option as it was set', ({ skip }) => {
    skip(!here, elsewhere);
    cpSync(join(__dirname, 'smoke.mjs'), join(project, 'smoke.mjs'));
    const command = manager.run?.('smoke.mjs') ?? [process.execPath, 'smoke.mjs'];
    const { status, output } = runManager(command, manager, project, join(folder, 'home'));
    expect(status, output).toBe(0);
    expect(output).toMatch(/every option is as it was set/);
  });
});
