// Finds the processes that hold a socket on Linux: a descriptor in /proc/<pid>/fd has the socket's inode.

import { fstatSync, opendirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { SocketOptionError } from '../../core/errors';
import type { Connection, ConnectionOwner } from '../connection';
import type { ParsedFilter } from '../filter';

/** Descriptors that are read in one step: about 200 microseconds. */
const DESCRIPTORS_PER_STEP = 64;

/** If the filter asks for it: keeps only connections of this process, and adds the owners. */
export function* attachOwners(
  found: Connection[],
  filter: ParsedFilter,
): Generator<void, Connection[]> {
  let wanted = found;
  if (filter.ownProcess) {
    const inodes = yield* findOwnInodes();
    wanted = wanted.filter(({ inode }) => inodes.has(inode as number));
  }
  if (filter.owners) {
    const owners = yield* findOwners(new Set(wanted.map(({ inode }) => inode as number)));
    wanted = wanted.map((connection) => ({
      ...connection,
      // Some process holds a socket with an inode. If none was found, this process may not see it.
      owners: owners.get(connection.inode as number) ?? (connection.inode === 0 ? [] : null),
    }));
  }
  return wanted;
}

/** The inodes of the sockets of this process. */
function* findOwnInodes(): Generator<void, Set<number>> {
  const inodes = new Set<number>();
  let count = 0;
  try {
    for (const fd of namesIn('/proc/self/fd')) {
      const inode = socketInode(Number(fd));
      if (inode !== undefined) inodes.add(inode);
      if (++count % DESCRIPTORS_PER_STEP === 0) yield;
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

/**
 * The inode of a socket of this process; `undefined` for another kind of file, and for a descriptor that was
 * closed meanwhile, such as the one that reads the directory.
 */
function socketInode(fd: number): number | undefined {
  try {
    const status = fstatSync(fd);
    return status.isSocket() ? status.ino : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return undefined;
    throw error;
  }
}

/** The owners of each inode, as far as this process may see them. */
function* findOwners(inodes: Set<number>): Generator<void, Map<number, ConnectionOwner[]>> {
  const owners = new Map<number, ConnectionOwner[]>();
  let count = 0;
  for (const pid of inodes.size > 0 ? readableNamesIn('/proc') : []) {
    if (!/^\d+$/.test(pid)) continue;
    let name: string | null | undefined;
    for (const fd of readableNamesIn(`/proc/${pid}/fd`)) {
      const inode = socketInodeAt(`/proc/${pid}/fd/${fd}`);
      if (inodes.has(inode)) {
        if (name === undefined) name = readProcessName(pid);
        const known = owners.get(inode);
        const owner = { pid: Number(pid), name, fd: Number(fd) };
        if (known === undefined) owners.set(inode, [owner]);
        else known.push(owner);
      }
      if (++count % DESCRIPTORS_PER_STEP === 0) yield;
    }
    if (++count % DESCRIPTORS_PER_STEP === 0) yield;
  }
  return owners;
}

/** The names in a directory, read one by one because there may be very many. */
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

/** The same, but ends without an error if the directory cannot be read or disappears with its process. */
function* readableNamesIn(path: string): Generator<string> {
  try {
    yield* namesIn(path);
  } catch {
    // An owner that was not seen is reported as not known: see `Connection.owners`.
  }
}

/** The inode of the socket that a link in /proc/<pid>/fd points to; NaN if it is not a socket or not readable. */
function socketInodeAt(path: string): number {
  try {
    return Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1]);
  } catch {
    return Number.NaN;
  }
}

/** The name of a process; `null` if it cannot be read. */
function readProcessName(pid: string): string | null {
  const name = readText(`/proc/${pid}/comm`)?.trimEnd();
  if (!name) return null;
  // Node 24 and later rename their first thread, and so the process: the command line has the useful name.
  if (!name.endsWith('MainThread')) return name;
  const [program = ''] = readText(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  return basename(program) || name;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
