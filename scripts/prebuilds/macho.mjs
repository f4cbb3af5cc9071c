// Reads and checks an addon for macOS. check.mjs uses it. The format: <mach-o/loader.h>, <mach-o/nlist.h>
// and <kern/cs_blobs.h>.

import { createHash } from 'node:crypto';
import { text } from './text.mjs';

const MAGIC_64 = 0xfeedfacf;
const CPU = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);
const LC_SYMTAB = 0x2;
const LC_LOAD_DYLIB = 0xc;
const LC_ID_DYLIB = 0xd;
const LC_CODE_SIGNATURE = 0x1d;
const LC_BUILD_VERSION = 0x32;
const N_STAB = 0xe0;
const N_PEXT = 0x10;
const N_EXT = 0x01;
const N_TYPE = 0x0e;
const DYNAMIC_LOOKUP = 0xfe;

const MINIMUM = '11.0';
const INSTALL_NAME = 'socket-options.node';

const CODE_DIRECTORY = 0xfade0c02;
const ADHOC = 0x2;
const SHA256 = 2;

/** What is wrong with a signature. macOS kills a process that loads a page with another hash. */
function signatureFaults(file, at) {
  let directory;
  for (let i = 0; i < file.readUInt32BE(at + 8); i++) {
    const blob = at + file.readUInt32BE(at + 12 + 8 * i + 4);
    if (file.readUInt32BE(blob) === CODE_DIRECTORY) directory = blob;
  }
  if (directory === undefined) return ['has a signature without hashes'];
  const word = (offset) => file.readUInt32BE(directory + offset);
  const faults = [];
  if (!(word(12) & ADHOC)) faults.push('has a signature that is not ad hoc');
  if (file[directory + 37] !== SHA256) return [...faults, 'is signed with another hash'];
  const [hashes, count, limit] = [directory + word(16), word(28), word(32)];
  const page = 1 << file[directory + 39];
  if (limit !== at || count !== Math.ceil(limit / page)) {
    faults.push(`has a signature over ${limit} of its ${at} bytes`);
  }
  for (let i = 0; i < count; i++) {
    const bytes = file.subarray(i * page, Math.min((i + 1) * page, limit));
    const hash = createHash('sha256').update(bytes).digest();
    if (!hash.equals(file.subarray(hashes + 32 * i, hashes + 32 * (i + 1)))) {
      faults.push(`has another hash than its signature says in page ${i}`);
    }
  }
  return faults;
}

export function readMachO(file) {
  if (file.readUInt32LE(0) !== MAGIC_64) throw new Error('is not a 64-bit Mach-O file');
  const arch = CPU.get(file.readUInt32LE(4));
  const libraries = [];
  const exports = [];
  const host = [];
  const faults = [];
  let minimum;
  let installName;
  let signed = false;
  let at = 32;
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    const command = file.readUInt32LE(at);
    if (command === LC_LOAD_DYLIB) libraries.push(text(file, at + file.readUInt32LE(at + 8)));
    if (command === LC_ID_DYLIB) installName = text(file, at + file.readUInt32LE(at + 8));
    if (command === LC_CODE_SIGNATURE) {
      signed = true;
      faults.push(...signatureFaults(file, file.readUInt32LE(at + 8)));
    }
    if (command === LC_BUILD_VERSION) {
      const version = file.readUInt32LE(at + 12);
      minimum = `${version >> 16}.${(version >> 8) & 0xff}`;
    }
    if (command === LC_SYMTAB) {
      const [first, count, strings] = [8, 12, 16].map((field) => file.readUInt32LE(at + field));
      for (let entry = first; entry < first + 16 * count; entry += 16) {
        const name = text(file, strings + file.readUInt32LE(entry)).replace(/^_/, '');
        const type = file[entry + 4];
        if (type & N_STAB) faults.push(`is not stripped of ${name || 'debugging'}`);
        if (!(type & N_EXT) || type & N_PEXT) continue;
        if (type & N_TYPE) exports.push(name);
        else if (file[entry + 7] === DYNAMIC_LOOKUP) host.push(name);
        else if (name.startsWith('_Z')) faults.push(`takes ${name} from a C++ library`);
      }
    }
    at += file.readUInt32LE(at + 4);
  }
  if (minimum !== MINIMUM) faults.push(`is for macOS ${minimum} and later, not ${MINIMUM}`);
  if (installName !== INSTALL_NAME) faults.push(`calls itself ${installName}`);
  // Apple's own processors run no code without a signature.
  if (arch === 'arm64' && !signed) faults.push('is not signed');
  return { arch, exports, libraries, host, faults, detail: `Mach-O, macOS ${minimum}` };
}
