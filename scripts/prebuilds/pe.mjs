// Reads and checks an addon for Windows, and clears its time stamps. build.mjs and check.mjs use it. The
// format: "PE Format" in Microsoft's documentation of Win32.

import { text } from './text.mjs';

const CPU = new Map([
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);
const PE32_PLUS = 0x20b;
const DIRECTORIES = { exports: 0, imports: 1, certificates: 4, debug: 6, delayed: 13 };
const CHARACTERISTICS = { DYNAMIC_BASE: 0x40, NX_COMPAT: 0x100 };

function parse(file) {
  const header = file.readUInt32LE(0x3c);
  if (file.toString('latin1', 0, 2) !== 'MZ' || file.readUInt32BE(header) !== 0x50450000) {
    throw new Error('is not a PE file');
  }
  const optional = header + 24;
  if (file.readUInt16LE(optional) !== PE32_PLUS) throw new Error('is not a 64-bit PE file');
  const sections = optional + file.readUInt16LE(header + 20);

  /** The offset in the file of what the address at `at` points to; undefined for none. */
  const pointed = (at) => {
    const address = file.readUInt32LE(at);
    for (let i = 0; i < file.readUInt16LE(header + 6); i++) {
      const section = sections + 40 * i;
      const from = address - file.readUInt32LE(section + 12);
      if (from >= 0 && from < file.readUInt32LE(section + 8)) {
        return file.readUInt32LE(section + 20) + from;
      }
    }
    return undefined;
  };
  const directory = (name) => pointed(optional + 112 + 8 * DIRECTORIES[name]);

  const stamps = [header + 8];
  if (directory('exports') !== undefined) stamps.push(directory('exports') + 4);
  const debug = directory('debug');
  const debugSize = file.readUInt32LE(optional + 112 + 8 * DIRECTORIES.debug + 4);
  if (debug !== undefined) {
    for (let at = debug; at < debug + debugSize; at += 28) stamps.push(at + 4);
  }
  return { header, optional, pointed, directory, stamps };
}

/** A copy without time stamps, because some linkers always write them. */
export function clearTimeStamps(file) {
  const cleared = Buffer.from(file);
  for (const at of parse(file).stamps) cleared.writeUInt32LE(0, at);
  return cleared;
}

export function readPe(file) {
  const { header, optional, pointed, directory, stamps } = parse(file);
  const faults = [];

  const exports = [];
  const table = directory('exports');
  if (table !== undefined) {
    const names = pointed(table + 32);
    for (let i = 0; i < file.readUInt32LE(table + 24); i++) {
      exports.push(text(file, pointed(names + 4 * i)));
    }
  }
  const libraries = [];
  for (let at = directory('imports'); at && file.readUInt32LE(at + 12) !== 0; at += 20) {
    libraries.push(text(file, pointed(at + 12)));
  }
  if (directory('delayed') !== undefined) faults.push('has delayed imports');
  if (stamps.some((at) => file.readUInt32LE(at) !== 0)) faults.push('has a time stamp');
  for (const [name, bit] of Object.entries(CHARACTERISTICS)) {
    if (!(file.readUInt16LE(optional + 70) & bit)) faults.push(`is not ${name}`);
  }
  // The offset of the symbols is 0 if there are none.
  if (file.readUInt32LE(header + 12) !== 0) faults.push('is not stripped');
  // The names that node_api.cc looks up.
  const found = file.toString('latin1').match(/(?<=\0)(napi|node_api)_\w+(?=\0)/g) ?? [];
  const host = [...new Set(found)].filter((name) => !exports.includes(name));
  const arch = CPU.get(file.readUInt16LE(header + 4));
  return { arch, exports, libraries, host, faults, detail: 'PE32+' };
}
