// Checks cross-built addons as files, for nothing here can run them: format and architecture, what
// they export, their size, and that they import Node-API and the system's own libraries only.
//
//   node scripts/cross/check.mjs build-cross

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const EXPORTED = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

// Of the Node-API version that binding.gyp asks for: a later function would not load on Node 20.
const { symbols } = createRequire(import.meta.url)('node-api-headers');
const nodeApi = new Set([...symbols.v8.js_native_api_symbols, ...symbols.v8.node_api_symbols]);

const MOST_BYTES = 64 * 1024;

const SYSTEM_LIBRARIES = {
  darwin: ['/usr/lib/libSystem.B.dylib'],
  win32: ['ADVAPI32.dll', 'KERNEL32.dll', 'WS2_32.dll', 'msvcrt.dll'],
};

function text(file, at) {
  return file.toString('latin1', at, file.indexOf(0, at));
}

/** What is told of a file: { format, exports, libraries, host }; `host`: imported from Node. */
const readers = { darwin: readMachO, win32: readPe };

/** <mach-o/loader.h> and <mach-o/nlist.h> */
function readMachO(file) {
  const MAGIC_64 = 0xfeedfacf;
  const CPU = new Map([
    [0x01000007, 'x64'],
    [0x0100000c, 'arm64'],
  ]);
  const LC_SYMTAB = 0x2;
  const LC_LOAD_DYLIB = 0xc;
  const LC_CODE_SIGNATURE = 0x1d;
  const LC_BUILD_VERSION = 0x32;
  const N_EXT = 0x01;
  const N_TYPE = 0x0e;
  const DYNAMIC_LOOKUP = 0xfe;

  if (file.readUInt32LE(0) !== MAGIC_64) throw new Error('not a 64-bit Mach-O file');
  const arch = CPU.get(file.readUInt32LE(4));
  const libraries = [];
  const exports = [];
  const host = [];
  let minimum;
  let signed = false;
  let at = 32;
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    const command = file.readUInt32LE(at);
    if (command === LC_LOAD_DYLIB) libraries.push(text(file, at + file.readUInt32LE(at + 8)));
    if (command === LC_CODE_SIGNATURE) signed = true;
    if (command === LC_BUILD_VERSION) {
      const version = file.readUInt32LE(at + 12);
      minimum = `${version >> 16}.${(version >> 8) & 0xff}`;
    }
    if (command === LC_SYMTAB) {
      const [first, count, strings] = [8, 12, 16].map((field) => file.readUInt32LE(at + field));
      for (let entry = first; entry < first + 16 * count; entry += 16) {
        const name = text(file, strings + file.readUInt32LE(entry)).replace(/^_/, '');
        const type = file[entry + 4];
        if (!(type & N_EXT)) continue;
        if (type & N_TYPE) exports.push(name);
        else if (file[entry + 7] === DYNAMIC_LOOKUP) host.push(name);
        else if (name.startsWith('_Z')) throw new Error(`takes ${name} from a C++ library`);
      }
    }
    at += file.readUInt32LE(at + 4);
  }
  // Without one, Apple's own processors run nothing.
  if (arch === 'arm64' && !signed) throw new Error('not signed');
  return { arch, exports, libraries, host, detail: `Mach-O, macOS ${minimum}` };
}

/** The PE format, as Microsoft documents it. */
function readPe(file) {
  const CPU = new Map([
    [0x8664, 'x64'],
    [0xaa64, 'arm64'],
  ]);
  const PE32_PLUS = 0x20b;

  const header = file.readUInt32LE(0x3c);
  if (file.toString('latin1', 0, 2) !== 'MZ' || text(file, header) !== 'PE') {
    throw new Error('not a PE file');
  }
  const optional = header + 24;
  if (file.readUInt16LE(optional) !== PE32_PLUS) throw new Error('not a 64-bit PE file');
  const sections = optional + file.readUInt16LE(header + 20);

  /** Where in the file that is what the address at `at` points to. */
  const pointed = (at) => {
    const address = file.readUInt32LE(at);
    for (let i = 0; i < file.readUInt16LE(header + 6); i++) {
      const section = sections + 40 * i;
      const from = address - file.readUInt32LE(section + 12);
      if (from >= 0 && from < file.readUInt32LE(section + 8)) {
        return file.readUInt32LE(section + 20) + from;
      }
    }
    throw new Error(`no section has the address ${address}`);
  };

  const exports = [];
  const table = pointed(optional + 112);
  const names = pointed(table + 32);
  for (let i = 0; i < file.readUInt32LE(table + 24); i++) {
    exports.push(text(file, pointed(names + 4 * i)));
  }
  const libraries = [];
  for (let at = pointed(optional + 120); file.readUInt32LE(at + 12) !== 0; at += 20) {
    libraries.push(text(file, pointed(at + 12)));
  }
  // The header does not say where GNU's delayed imports are, but their names are in the file.
  const found = file.toString('latin1').match(/(?<=\0)(napi|node_api)_\w+(?=\0)/g);
  const host = [...new Set(found)].filter((name) => !exports.includes(name));
  return {
    arch: CPU.get(file.readUInt16LE(header + 4)),
    exports,
    libraries,
    host,
    detail: 'PE32+',
  };
}

function check(platform, arch, file) {
  const found = readers[platform](file);
  const problems = [];
  if (found.arch !== arch) problems.push(`is for ${found.arch}`);
  for (const name of EXPORTED) if (!found.exports.includes(name)) problems.push(`lacks ${name}`);
  for (const name of found.libraries) {
    if (!SYSTEM_LIBRARIES[platform].includes(name)) problems.push(`needs ${name}`);
  }
  for (const name of found.host) {
    if (!nodeApi.has(name)) problems.push(`takes ${name} from Node, which is not of Node-API 8`);
  }
  if (!found.host.includes('napi_create_function')) problems.push('takes nothing from Node');
  if (file.length > MOST_BYTES) problems.push(`is ${file.length} bytes, over ${MOST_BYTES}`);
  if (file.includes(process.cwd())) problems.push('has a path of this machine in it');
  if (problems.length > 0) throw new Error(problems.join(', '));
  return `${found.detail}, ${found.host.length} functions of Node-API`;
}

const [directory] = process.argv.slice(2);
for (const target of ['darwin-x64', 'darwin-arm64', 'win32-x64']) {
  const [platform, arch] = target.split('-');
  const file = readFileSync(join(directory, target, 'socket_options.node'));
  try {
    console.log(`${target}: ${check(platform, arch, file)}, ${file.length} bytes`);
  } catch (error) {
    console.error(`${target}: ${error.message}`);
    process.exitCode = 1;
  }
}
