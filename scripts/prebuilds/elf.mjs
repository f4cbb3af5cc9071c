// Reads and checks an addon for Linux, of 32 or 64 bits. The format: <elf.h>. check.mjs uses it.

import { text } from './text.mjs';

const CPU = new Map([
  [40, 'arm'],
  [62, 'x64'],
  [183, 'arm64'],
]);
const ET_DYN = 3;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHT_DYNAMIC = 6;
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const DT = { NEEDED: 1, RPATH: 15, RUNPATH: 29 };
const STB_GLOBAL = 1;
const SHN_UNDEF = 0;
const ARM_HARD_FLOAT = 0x400;

/** Functions that both C libraries have: glibc since 2.17 (targets.mjs), and musl. */
const LIBC = new Set(
  `__cxa_finalize __errno_location abort bcmp bind calloc close connect dlsym eventfd fcntl free getpeername
  getpid getsockname getsockopt ioctl malloc memchr memcmp memcpy memmove memset open open64 poll prctl
  pthread_create pthread_join pthread_mutex_lock pthread_mutex_unlock pthread_sigmask read recv recvfrom
  recvmsg send sendmsg sendto setsockopt shutdown sigfillset snprintf socket socketpair strchr strcmp
  strlen strncmp write`.split(/\s+/),
);

export function readElf(file) {
  if (file.readUInt32BE(0) !== 0x7f454c46) throw new Error('is not an ELF file');
  const wide = file[4] === 2;
  const pointer = (at) => (wide ? Number(file.readBigUInt64LE(at)) : file.readUInt32LE(at));
  const size = wide ? 8 : 4;
  const faults = [];

  const arch = CPU.get(file.readUInt16LE(18));
  if (file.readUInt16LE(16) !== ET_DYN) faults.push('is not a shared object');
  if (arch === 'arm' && !(file.readUInt32LE(24 + 3 * size) & ARM_HARD_FLOAT)) {
    faults.push('is not for hardware that has floating point');
  }

  // The fields of the header that follow its flags.
  const rest = 24 + 3 * size + 4;
  const segments = { at: pointer(24 + size), each: file.readUInt16LE(rest + 2) };
  let stack;
  for (let i = 0; i < file.readUInt16LE(rest + 4); i++) {
    const at = segments.at + i * segments.each;
    if (file.readUInt32LE(at) === PT_GNU_STACK) stack = file.readUInt32LE(at + (wide ? 4 : 24));
  }
  // A file without the segment gets an executable stack.
  if (stack === undefined || stack & PF_X) faults.push('wants an executable stack');

  const table = pointer(24 + 2 * size);
  const sections = Array.from({ length: file.readUInt16LE(rest + 8) }, (_, i) => {
    const at = table + i * file.readUInt16LE(rest + 6);
    const fields = at + 8;
    return {
      type: file.readUInt32LE(at + 4),
      at: pointer(fields + 2 * size),
      size: pointer(fields + 3 * size),
      link: file.readUInt32LE(fields + 4 * size),
      info: file.readUInt32LE(fields + 4 * size + 4),
    };
  });
  const section = (type) => sections.find((one) => one.type === type);
  if (section(SHT_SYMTAB)) faults.push('is not stripped');

  const dynamic = section(SHT_DYNAMIC);
  const strings = sections[dynamic.link].at;
  const libraries = [];
  for (let at = dynamic.at; at < dynamic.at + dynamic.size; at += 2 * size) {
    const tag = pointer(at);
    const value = pointer(at + size);
    if (tag === DT.NEEDED) libraries.push(text(file, strings + value));
    if (tag === DT.RPATH || tag === DT.RUNPATH) {
      faults.push(`looks for libraries in ${text(file, strings + value)}`);
    }
  }

  const exports = [];
  const host = [];
  const symbols = section(SHT_DYNSYM);
  const entry = wide ? 24 : 16;
  for (let at = symbols.at + entry; at < symbols.at + symbols.size; at += entry) {
    const name = text(file, strings + file.readUInt32LE(at));
    const [info, index] = wide ? [at + 4, at + 6] : [at + 12, at + 14];
    if (file.readUInt16LE(index) !== SHN_UNDEF) exports.push(name);
    // A weak symbol may be missing.
    else if (file[info] >> 4 !== STB_GLOBAL) continue;
    else if (/^(napi|node_api)_/.test(name)) host.push(name);
    else if (!LIBC.has(name)) faults.push(`takes ${name}, which is not of both C libraries`);
  }

  // Versions are glibc's, and as new as the machine that linked the file.
  if (section(SHT_GNU_VERNEED)) faults.push('asks for versions of a library');
  return {
    arch,
    exports,
    libraries,
    host,
    faults,
    detail: 'ELF, glibc 2.17 or musl',
  };
}
