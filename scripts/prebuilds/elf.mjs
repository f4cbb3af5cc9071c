// Reads and checks an addon for Linux or FreeBSD, of 32 or 64 bits, in either byte order. The format: <elf.h>.
// check.mjs uses it.

import { text } from './text.mjs';

const CPU = new Map([
  [21, 'ppc64'],
  [22, 's390x'],
  [40, 'arm'],
  [62, 'x64'],
  [183, 'arm64'],
  [243, 'riscv64'],
]);
/** The processors that run Linux with the big end first. node's `ppc64` on Linux is little-endian. */
const BIG_ENDIAN = new Set(['s390x']);
const OS_ABI = { linux: 0, freebsd: 9 };
const LIBRARIES = { linux: 'both C libraries', freebsd: "FreeBSD's C library" };
const DETAILS = { linux: 'glibc 2.17 or musl', freebsd: 'FreeBSD' };
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

/** What each system has: on Linux the functions that both C libraries have, glibc since 2.17, and musl. */
const FUNCTIONS = {
  linux:
    words(`__cxa_finalize __errno_location abort bcmp bind calloc close connect dlsym eventfd fcntl free
    getpeername getpid getsockname getsockopt ioctl malloc memchr memcmp memcpy memmove memset open open64 poll
    prctl pthread_create pthread_join pthread_mutex_lock pthread_mutex_unlock pthread_sigmask read recv recvfrom
    recvmsg send sendmsg sendto setsockopt shutdown sigfillset snprintf socket socketpair strchr strcmp
    strlen strncmp write`),
  // The loader takes the oldest version of a function that the file names without a version. These have one.
  freebsd:
    words(`__error abort calloc close dlsym fcntl free getosreldate getpeername getsockname getsockopt
    ioctl malloc memchr memcmp memcpy memmove memset poll setsockopt snprintf socket strchr strcmp strlen strnlen
    sysctl sysctlnametomib`),
};

function words(text) {
  return new Set(text.split(/\s+/));
}

/** Numbers of a file in its own byte order. */
function numbers(file, isBig) {
  return isBig
    ? {
        half: (at) => file.readUInt16BE(at),
        word: (at) => file.readUInt32BE(at),
        long: (at) => Number(file.readBigUInt64BE(at)),
      }
    : {
        half: (at) => file.readUInt16LE(at),
        word: (at) => file.readUInt32LE(at),
        long: (at) => Number(file.readBigUInt64LE(at)),
      };
}

export function readElf(file, platform) {
  if (file.readUInt32BE(0) !== 0x7f454c46) throw new Error('is not an ELF file');
  const wide = file[4] === 2;
  const isBig = file[5] === 2;
  const { half, word, long } = numbers(file, isBig);
  const pointer = wide ? long : word;
  const size = wide ? 8 : 4;
  const faults = [];

  const arch = CPU.get(half(18));
  if (arch !== undefined && BIG_ENDIAN.has(arch) !== isBig) faults.push('has the other byte order');
  if (file[7] !== OS_ABI[platform]) faults.push(`is for the system of number ${file[7]}`);
  if (half(16) !== ET_DYN) faults.push('is not a shared object');
  if (arch === 'arm' && !(word(24 + 3 * size) & ARM_HARD_FLOAT)) {
    faults.push('is not for hardware that has floating point');
  }

  // The fields of the header that follow its flags.
  const rest = 24 + 3 * size + 4;
  const segments = { at: pointer(24 + size), each: half(rest + 2) };
  let stack;
  for (let i = 0; i < half(rest + 4); i++) {
    const at = segments.at + i * segments.each;
    if (word(at) === PT_GNU_STACK) stack = word(at + (wide ? 4 : 24));
  }
  // A file without the segment gets an executable stack.
  if (stack === undefined || stack & PF_X) faults.push('wants an executable stack');

  const table = pointer(24 + 2 * size);
  const sections = Array.from({ length: half(rest + 8) }, (_, i) => {
    const at = table + i * half(rest + 6);
    const fields = at + 8;
    return {
      type: word(at + 4),
      at: pointer(fields + 2 * size),
      size: pointer(fields + 3 * size),
      link: word(fields + 4 * size),
      info: word(fields + 4 * size + 4),
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
    const name = text(file, strings + word(at));
    const [info, index] = wide ? [at + 4, at + 6] : [at + 12, at + 14];
    if (half(index) !== SHN_UNDEF) exports.push(name);
    // A weak symbol may be missing.
    else if (file[info] >> 4 !== STB_GLOBAL) continue;
    else if (/^(napi|node_api)_/.test(name)) host.push(name);
    else if (!FUNCTIONS[platform].has(name)) {
      faults.push(`takes ${name}, which is not of ${LIBRARIES[platform]}`);
    }
  }

  // They would be those of the machine that linked the file.
  if (section(SHT_GNU_VERNEED)) faults.push('asks for versions of a library');
  return {
    arch,
    exports,
    libraries,
    host,
    faults,
    detail: `ELF, ${DETAILS[platform]}`,
  };
}
