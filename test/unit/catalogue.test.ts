// Tests derived from the catalogue: each row says what it is tested with. They show that a row
// works; that it works on the right option in the right unit is what test/kernel/wire.test.ts shows.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  constants,
  getOption,
  getOptions,
  isSupported,
  type OptionName,
  SocketOptionError,
  setOptions,
  supportedOptions,
} from '../../dist/index.js';
import { type Platform, type Row, rows } from '../../lib/catalogue/catalogue';
import { withPair } from '../support/net';
import { AF_INET, AF_INET6, SOCK_STREAM, withSocket } from '../support/reference-addon';

const platform = process.platform as Platform;
const all = Object.entries(rows()) as [OptionName, Row][];
const here = all.filter(([, row]) => row[platform] !== null);

/** Rows that need a socket of another kind than a fresh one of IPv4. */
const domainOf = (name: string) =>
  ['trafficClass', 'hopLimit', 'ipv6Only'].includes(name) ? AF_INET6 : AF_INET;

/** Where the kernel, by its own documentation, holds something else than what was set. */
const HELD: Partial<Record<OptionName, (written: never) => unknown>> =
  platform === 'linux'
    ? {
        // socket(7): "the kernel doubles this value".
        sendBufferSize: (written: number) => 2 * written,
        recvBufferSize: (written: number) => 2 * written,
      }
    : {};

/** The lowest value that every kernel takes, where the clock tick of the kernel decides (at most 10 ms, and two of them). */
const LOWEST: Partial<Record<OptionName, number>> = { rtoMin: 20_000, delayedAckMax: 20_000 };

const isRoot = process.getuid?.() === 0;

describe('each option that this system can set', () => {
  const writable = here.filter(
    ([, row]) => row.access === undefined && row[platform]?.access !== 'read',
  );

  test.each(writable)('%s: differs at first, is written, is read back', (name, row) => {
    if (!isSupported(name)) return expectUnsupported(name, row);
    withSocket(domainOf(name), SOCK_STREAM, (fd) => {
      const before = getOption(fd, name);
      expect(before, 'the initial value must not be the one to write').not.toEqual(row.example);
      if (!isRoot && row.privilege !== undefined) {
        // Without privilege the kernel decides; if it refuses, the error has to say why.
        try {
          setOptions(fd, { [name]: row.example });
        } catch (error) {
          expect((error as SocketOptionError).message).toContain(row.privilege);
          return;
        }
      } else {
        setOptions(fd, { [name]: row.example });
      }
      const held = HELD[name] ?? ((written: never) => written);
      expect(getOption(fd, name)).toEqual(held(row.example as never));
    });
  });

  const withDefault = writable.filter(([, row]) => row.system);
  test.each(withDefault)("%s: 'system' puts the default back", (name, row) => {
    if (!isSupported(name)) return;
    withSocket(domainOf(name), SOCK_STREAM, (fd) => {
      const before = getOption(fd, name);
      setOptions(fd, { [name]: row.example });
      expect(getOption(fd, name)).not.toEqual(before);
      setOptions(fd, { [name]: 'system' });
      expect(getOption(fd, name)).toEqual(before);
    });
  });

  const ranged = writable.filter(([, row]) => ['integer', 'duration'].includes(row.kind));
  test.each(ranged)('%s: takes both ends of its range, and nothing beyond', (name, row) => {
    const { min = 0, max = 0, unit } = row[platform] ?? {};
    if (!isSupported(name) || (row.privilege !== undefined && !isRoot)) return;
    const scale = { s: 1000, ms: 1, us: 0.001 }[unit ?? 'ms'];
    withSocket(domainOf(name), SOCK_STREAM, (fd) => {
      for (const end of [LOWEST[name] ?? min, max]) setOptions(fd, { [name]: end * scale });
      for (const beyond of [min * scale - (min === 0 ? 0.5 : min * scale), (max + 1) * scale]) {
        if (min === 0 && beyond === 0) continue;
        const before = getOption(fd, name);
        expect(() => setOptions(fd, { [name]: beyond })).toThrow(RangeError);
        expect(getOption(fd, name)).toEqual(before);
      }
    });
  });
});

describe('each option that this system can only read', () => {
  const readOnly = here.filter(
    ([, row]) => row.access === 'read' || row[platform]?.access === 'read',
  );

  test.each(readOnly)(
    '%s: is read from a connection, and refused to the setter',
    async (name, row) => {
      await withPair(({ client, server }) => {
        const socket = name === 'acceptingConnections' ? server : client;
        const value = getOption(socket, name);
        expect(typeof value).toBe(typeof row.example);
        // What a row gives as an example is what this very connection has, where that is fixed.
        if (row.kind === 'enum' || row.kind === 'boolean') expect(value).toBe(row.example);
        expect(() => setOptions(socket, { [name]: row.example } as never)).toThrow(
          row.access === 'read' ? TypeError : SocketOptionError,
        );
      });
    },
  );
});

describe('each option that is chosen when a socket is opened', () => {
  const chosen = all.filter(([, row]) => row.access === 'open');

  test.each(chosen)('%s: is read, and refused to the setter as too late', (name, row) => {
    if (!isSupported(name)) return expectUnsupported(name, row);
    withSocket(domainOf(name), SOCK_STREAM, (fd) => {
      expect(getOption(fd, name)).not.toEqual(row.example);
      expect(() => setOptions(fd, { [name]: row.example })).toThrow(
        expect.objectContaining({ code: 'ERR_SOCKET_TOO_LATE' }),
      );
    });
  });
});

describe('each option that this system does not have', () => {
  const missing = all.filter(([, row]) => row[platform] === null);

  test.each(missing)('%s: says so', (name, row) => expectUnsupported(name, row));
});

function expectUnsupported(name: OptionName, row: Row): void {
  expect(isSupported(name)).toBe(false);
  expect(supportedOptions()).not.toContain(name);
  // A descriptor that no process has: the error comes before any system call could say EBADF.
  const nowhere = 2_000_000_000;
  const refused = expect.objectContaining({ code: 'ENOPROTOOPT' });
  expect(() => getOption(nowhere, name)).toThrow(refused);
  if (row.access !== 'read') {
    expect(() => setOptions(nowhere, { [name]: row.example })).toThrow(refused);
  }
}

describe('the catalogue and the headers', () => {
  test.each(here)('%s: the header has its kernel name', (_name, row) => {
    expect(constants).toHaveProperty((row[platform] as { name: string }).name);
  });

  test('every option of this system answers on one socket or another', async () => {
    await withPair(({ client }) => {
      const answered = Object.keys(getOptions(client));
      const ofIpv6 = ['trafficClass', 'hopLimit', 'ipv6Only'];
      expect(supportedOptions().filter((name) => !answered.includes(name))).toEqual(ofIpv6);
    });
  });

  // The columns of systems that this machine is not: their names at least stand in their sources.
  test.each(['linux', 'darwin', 'win32'] as const)(
    '%s: native source and column agree',
    (system) => {
      const source = readFileSync(join(__dirname, `../../native/platform/${system}.cc`), 'utf8');
      const known = new Set(
        [...source.matchAll(/\b(SO|TCP|UDP|IP|IPV6)\(([A-Z0-9_]+)\)|{"([A-Z0-9_]+)"/g)].map(
          ([, prefix, name, whole]) => whole ?? `${prefix}_${name}`,
        ),
      );
      for (const [name, row] of all) {
        if (row[system] !== null) expect(known, `${name} on ${system}`).toContain(row[system].name);
      }
    },
  );
});
