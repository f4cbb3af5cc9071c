// Finds the processes that hold a socket on Linux: a descriptor in /proc/<pid>/fd has the socket's inode.

import { fstatSync, opendirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { SocketOptionError } from '../../core/errors';
import type { Connection, ConnectionOwner } from '../connection';
import type { ParsedFilter } from '../filter';
import type { NewConnection } from '../platform';

/** Descriptors that are read in one step: about 200 microseconds. */
const DESCRIPTORS_PER_STEP = 64;

/** How many connections are handled in one step. */
const CONNECTIONS_PER_STEP = 256;

/** If the filter asks for it: keeps only connections of this process, and adds the owners. */
export function* attachOwners(
  found: readonly NewConnection[],
  filter: ParsedFilter,
): Generator<readonly Connection[], void> {
  const own = filter.ownProcess ? yield* findOwnInodes() : undefined;
  const owners: Owners = new Map();
  if (filter.owners) {
    for (const batch of batchesOf(found, own)) {
      for (const { inode } of batch) if (inode) owners.set(inode, null);
      yield [];
    }
    yield* findOwners(owners);
  }
  for (const batch of batchesOf(found, own)) {
    if (filter.owners) for (const one of batch) one.owners = ownersOf(one, owners);
    yield batch;
  }
}

/** The owners of each inode that is searched for; `null` if none was found. */
type Owners = Map<number, ConnectionOwner[] | null>;

/** The connections in batches; only those whose inode is one of `inodes`, if there are any. */
function* batchesOf(
  connections: readonly NewConnection[],
  inodes: ReadonlySet<number> | undefined,
): Generator<readonly NewConnection[]> {
  for (let at = 0; at < connections.length; at += CONNECTIONS_PER_STEP) {
    const batch = connections.slice(at, at + CONNECTIONS_PER_STEP);
    yield inodes === undefined ? batch : batch.filter(({ inode }) => inodes.has(inode as number));
  }
}

/** Some process holds a socket with an inode. If none was found, this process may not see it. */
const ownersOf = ({ inode }: Connection, owners: Owners): ConnectionOwner[] | null =>
  inode ? (owners.get(inode) ?? null) : [];

/** The inodes of the sockets of this process. */
function* findOwnInodes(): Generator<readonly Connection[], Set<number>> {
  const inodes = new Set<number>();
  let count = 0;
  try {
    for (const fd of namesIn('/proc/self/fd')) {
      const inode = socketInode(Number(fd));
      if (inode !== undefined) inodes.add(inode);
      if (++count % DESCRIPTORS_PER_STEP === 0) yield [];
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

/** Finds the owners of these inodes, as far as this process may see them. */
function* findOwners(owners: Owners): Generator<readonly Connection[], void> {
  let count = 0;
  for (const pid of owners.size > 0 ? readableNamesIn('/proc') : []) {
    if (!/^\d+$/.test(pid)) continue;
    let name: string | null | undefined;
    const folder = `/proc/${pid}/fd`;
    for (const fd of readableNamesIn(folder)) {
      const inode = socketInodeAt(`${folder}/${fd}`);
      const known = owners.get(inode);
      if (known !== undefined) {
        if (name === undefined) name = readProcessName(pid);
        const owner = { pid: Number(pid), name, fd: Number(fd) };
        if (known === null) owners.set(inode, [owner]);
        else known.push(owner);
      }
      if (++count % DESCRIPTORS_PER_STEP === 0) yield [];
    }
    if (++count % DESCRIPTORS_PER_STEP === 0) yield [];
  }
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

const SOCKET = 'socket:[';

/** The inode of the socket that a link in /proc/<pid>/fd points to; NaN if it is not a socket or not readable. */
function socketInodeAt(path: string): number {
  try {
    const target = readlinkSync(path);
    return target.startsWith(SOCKET) ? Number(target.slice(SOCKET.length, -1)) : Number.NaN;
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
