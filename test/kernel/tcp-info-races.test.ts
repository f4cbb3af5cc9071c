// readTcpInfosAsync(): rows whose sockets change while they are read.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  getTcpInfo,
  readTcpInfos,
  readTcpInfosAsync,
  type SocketLike,
  type TcpInfoColumns,
  TcpInfoReader,
  tcpStates,
} from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { fdOf, withPair } from '../support/net';
import { onLinux } from '../support/platform';

const EBADF = -9;
const ESTABLISHED = 'ESTABLISHED';
const LISTEN = 'LISTEN';
const rowOf = ({ state, errno }: TcpInfoColumns<'state'>, row: number) =>
  errno[row] === 0 ? tcpStates[state[row] as number] : errno[row];

/** Rows of one batch, and of the next one. */
const BATCH = 256;

interface Outcome {
  readonly rows: number;
  readonly read: number;
  readonly closed: number;
  readonly wrong: Readonly<Record<string, number>>;
}

/** 100 000 rows take a few seconds. RACE_ROWS=1000000 for more. */
const ROWS = Number(process.env.RACE_ROWS ?? 100_000);

test(`no row of ${ROWS} has the values of a stranger`, { timeout: 1_000_000 }, async ({ skip }) => {
  onLinux('cookies')({ skip });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(__dirname, '../fixtures/tcp-info-races.mjs'), String(ROWS)],
    { env: { ...process.env, RACES_CERTIFICATE: JSON.stringify(certificate()) } },
  );
  const outcome = JSON.parse(stdout) as Outcome;
  expect(outcome.wrong).toEqual({});
  expect(outcome.rows).toBeGreaterThanOrEqual(ROWS);
  // Many sockets were closed before they were read, and many after.
  expect(outcome.read).toBeGreaterThan(ROWS / 10);
  expect(outcome.closed).toBeGreaterThan(ROWS / 10);
});

test('a closed http2 session leaves a socket that is closed', async () => {
  const server = http2.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  const { socket } = session;
  const sockets = [...Array<SocketLike>(BATCH).fill(server as never), socket];
  const reading = readTcpInfosAsync(sockets, ['state']);
  session.destroy();
  const columns = await reading;
  expect([rowOf(columns, 0), rowOf(columns, BATCH)]).toEqual([LISTEN, EBADF]);
  expect(rowOf(readTcpInfos([socket], ['state']), 0)).toBe(EBADF);
  expect(() => getTcpInfo(socket)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
  server.close();
});

test('a reader has no old values after a call with a closed socket, or with none', async () => {
  await withPair(({ client }) => {
    const reader = new TcpInfoReader();
    for (const wrong of ['x' as never, { _handle: null, destroyed: true } as never]) {
      expect(reader.read(client).state).toBe(ESTABLISHED);
      expect(() => reader.read(wrong)).toThrow();
      expect([reader.state, reader.rtt]).toEqual([null, Number.NaN]);
    }
  });
});

describe('an object of Node whose handle changes', () => {
  // Node does not report descriptors on Windows: a search finds no handle that moved, and reads stay in the main thread.
  const withMovableHandles = (skip: (condition: boolean, reason: string) => void) => {
    skip(process.platform === 'win32' || process.env.SOCKET_OPTIONS_SEARCH === '1', 'searches');
  };

  test('has the socket that it had when its batch was read', async ({ skip }) => {
    withMovableHandles(skip);
    await withPair(async ({ client, server }) => {
      const movable = { _handle: (client as unknown as { _handle: object | null })._handle };
      const sockets = Array<SocketLike>(BATCH + 1).fill(movable as unknown as SocketLike);
      const reading = readTcpInfosAsync(sockets, ['state']);
      // The first batch is being read, the second is not.
      movable._handle = (server as unknown as { _handle: object })._handle;
      const columns = await reading;
      expect([rowOf(columns, 0), rowOf(columns, BATCH)]).toEqual([EBADF, LISTEN]);
    });
  });

  test('is reported as closed if it lost its handle', async ({ skip }) => {
    withMovableHandles(skip);
    await withPair(async ({ client }) => {
      const movable = { _handle: (client as unknown as { _handle: object | null })._handle };
      const sockets = [client, movable, client] as unknown as SocketLike[];
      const reading = readTcpInfosAsync(sockets, ['state']);
      movable._handle = null;
      const columns = await reading;
      expect([0, 1, 2].map((row) => rowOf(columns, row))).toEqual([
        ESTABLISHED,
        EBADF,
        ESTABLISHED,
      ]);
    });
  });

  test('is reported as closed if its handle was closed below it', async ({ skip }) => {
    withMovableHandles(skip);
    await withPair(async ({ client, server }) => {
      const reading = readTcpInfosAsync([client, server], ['state']);
      (client as unknown as { _handle: { close(): void } })._handle.close();
      const columns = await reading;
      expect([rowOf(columns, 0), rowOf(columns, 1)]).toEqual([EBADF, LISTEN]);
    });
  });
});

describe('the arguments of a long read', () => {
  test('a result is filled by one call at a time', async () => {
    await withPair(async ({ client, server }) => {
      const clients = Array<SocketLike>(600).fill(client);
      const servers = Array<SocketLike>(600).fill(server);
      const out = await readTcpInfosAsync(clients, ['state']);
      const reading = readTcpInfosAsync(clients, ['state'], out);
      const refusal = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
      await expect(readTcpInfosAsync(servers, ['state'], out)).rejects.toMatchObject(refusal);
      expect(() => readTcpInfos(servers, ['state'], out)).toThrow(expect.objectContaining(refusal));
      await reading;
      expect(new Set(out.state)).toEqual(new Set([tcpStates.indexOf(ESTABLISHED)]));
      await readTcpInfosAsync(servers, ['state'], out);
      expect(new Set(out.state)).toEqual(new Set([tcpStates.indexOf(LISTEN)]));
    });
  });

  test('a wrong element behind numbers rejects before a row is filled', async () => {
    // No sockets: they have no cookie, and are read at the call.
    const sockets = [...Array<SocketLike>(300).fill(1), 'x' as never];
    const out = { errno: new Int32Array(301).fill(7), state: new Float64Array(301) };
    await expect(readTcpInfosAsync(sockets, ['state'], out)).rejects.toThrow(TypeError);
    expect(out.errno.every((errno) => errno === 7)).toBe(true);
  });

  test('more sockets than a process can have', async () => {
    const many = new Array(2 ** 32 - 1);
    const refusal = expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' });
    await expect(readTcpInfosAsync(many)).rejects.toEqual(refusal);
    expect(() => readTcpInfos(many)).toThrow(refusal);
  });

  test('a wrong element rejects before a row is filled', async () => {
    await withPair(async ({ client }) => {
      const sockets = Array<SocketLike>(100_000).fill(client);
      for (const wrong of ['x', undefined, {}, -1]) {
        sockets[99_999] = wrong as never;
        const out = { errno: new Int32Array(100_000).fill(7), state: new Float64Array(100_000) };
        await expect(readTcpInfosAsync(sockets, ['state'], out)).rejects.toMatchObject({
          name: wrong === -1 ? 'RangeError' : 'TypeError',
        });
        expect(out.errno.every((errno) => errno === 7)).toBe(true);
      }
    });
  });

  test('later changes of the array move no row', async () => {
    await withPair(async ({ client, server }) => {
      const sockets = Array<SocketLike>(30_000).fill(client);
      const reading = readTcpInfosAsync(sockets, ['state']);
      sockets.fill(server);
      sockets.length = 5;
      const { state, errno } = await reading;
      expect(errno.every((code) => code === 0)).toBe(true);
      expect(new Set(state)).toEqual(new Set([tcpStates.indexOf(ESTABLISHED)]));
    });
  });

  test('numbers among Node objects have the rows of their places', async () => {
    await withPair(async ({ client, server }) => {
      // The reference addon is slow on Windows.
      const fd = fdOf(server);
      const sockets = Array.from({ length: 25_000 }, (_, row) =>
        row % 2 === 0 ? client : row % 3 === 0 ? fd : { fd },
      );
      const { state, mss } = await readTcpInfosAsync(sockets, ['state', 'mss']);
      const { mss: expected } = getTcpInfo(client);
      expect(
        [...state.keys()].every(
          (row) =>
            tcpStates[state[row] as number] === (row % 2 === 0 ? ESTABLISHED : LISTEN) &&
            (row % 2 === 0 ? mss[row] === expected : Number.isNaN(mss[row])),
        ),
      ).toBe(true);
    });
  });
});
