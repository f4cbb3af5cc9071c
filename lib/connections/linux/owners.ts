// Which processes hold a socket, on Linux: those with a descriptor whose inode is the socket's.

import { fstatSync, opendirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { SocketOptionError } from '../../core/errors';
import type { Connection, ConnectionOwner } from '../connection';
import type { Conditions } from '../filter';

/** Descriptors that are looked at in one step: some 200 microseconds. */
const STEP = 64;

/** Leaves out what is not this process's, and adds the owners, as far as the conditions say so. */
export function* own(found: Connection[], conditions: Conditions): Generator<void, Connection[]> {
  let wanted = found;
  if (conditions.ownProcess) {
    const inodes = yield* ownInodes();
    wanted = wanted.filter(({ inode }) => inodes.has(inode as number));
  }
  if (conditions.owners) {
    const owners = yield* ownersOf(new Set(wanted.map(({ inode }) => inode as number)));
    wanted = wanted.map((connection) => ({
      ...connection,
      // A socket with an inode is held: by a process that may not be seen, if none was found.
      owners: owners.get(connection.inode as number) ?? (connection.inode === 0 ? [] : null),
    }));
  }
  return wanted;
}

/** The inodes of the sockets that this process has open. */
function* ownInodes(): Generator<void, Set<number>> {
  const inodes = new Set<number>();
  let looked = 0;
  try {
    for (const fd of namesIn('/proc/self/fd')) {
      const inode = socketOf(Number(fd));
      if (inode !== undefined) inodes.add(inode);
      if (++looked % STEP === 0) yield;
    }
  } catch (error) {
    const { code = 'UNKNOWN', errno, syscall = 'opendir' } = error as NodeJS.ErrnoException;
    throw new SocketOptionError(
      `${code}: filter.ownProcess needs /proc/self/fd, which cannot be read, ${syscall}`,
      { code, errno, syscall },
    );
  }
  return inodes;
}

/** The inode of a socket of this process; `undefined` of what is none, or was closed meanwhile. */
function socketOf(fd: number): number | undefined {
  try {
    const status = fstatSync(fd);
    return status.isSocket() ? status.ino : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return undefined;
    throw error;
  }
}

/** For each of the inodes: who has it open, as far as this process may see. */
function* ownersOf(inodes: Set<number>): Generator<void, Map<number, ConnectionOwner[]>> {
  const owners = new Map<number, ConnectionOwner[]>();
  let looked = 0;
  for (const pid of inodes.size > 0 ? readableNamesIn('/proc') : []) {
    if (!/^\d+$/.test(pid)) continue;
    let name: string | null | undefined;
    for (const fd of readableNamesIn(`/proc/${pid}/fd`)) {
      const inode = socketAt(`/proc/${pid}/fd/${fd}`);
      if (inodes.has(inode)) {
        if (name === undefined) name = nameOf(pid);
        const known = owners.get(inode);
        const owner = { pid: Number(pid), name, fd: Number(fd) };
        if (known === undefined) owners.set(inode, [owner]);
        else known.push(owner);
      }
      if (++looked % STEP === 0) yield;
    }
    if (++looked % STEP === 0) yield;
  }
  return owners;
}

/** The names in a directory, one after the other: it may have very many. */
function* namesIn(path: string): Generator<string> {
  const directory = opendirSync(path);
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      yield entry.name;
    }
  } finally {
    directory.closeSync();
  }
}

/** The same; none, or no more, where the directory may not be read or is gone with its process. */
function* readableNamesIn(path: string): Generator<string> {
  try {
    yield* namesIn(path);
  } catch {
    // What was not seen is not known: see `owners`.
  }
}

/** The inode of the socket that a descriptor is; NaN where it is none, or may not be seen. */
function socketAt(path: string): number {
  try {
    return Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1]);
  } catch {
    return Number.NaN;
  }
}

/** `null` where it cannot be read. */
function nameOf(pid: string): string | null {
  const name = textOf(`/proc/${pid}/comm`)?.trimEnd();
  if (!name) return null;
  // So Node 24 and later call their first thread, and with it the process: what was run says more.
  if (!name.endsWith('MainThread')) return name;
  const [program = ''] = textOf(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  return basename(program) || name;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
