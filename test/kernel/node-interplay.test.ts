// The effects of Node's own setKeepAlive and of its cache on values set by this package.
// The README relies on this: a Node version that behaves differently fails here.

import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { getKeepAlive, setKeepAlive } from '../../dist/index.js';
import { listen, withPair } from '../support/net';

const OURS = { enable: true, initialDelay: 60_000, interval: 10_000, count: 5 };

/** Node 24.19 and 26.4 gave core's setKeepAlive an interval and a count. */
const coreTakesAll = (socket: Socket) => socket.setKeepAlive.length === 4;

describe('socket.setKeepAlive of Node', () => {
  test.each([[undefined], [0], [500]])(
    'with a delay of %j leaves the system’s two hours in the kernel',
    async (delay) => {
      await withPair(({ client }) => {
        client.setKeepAlive(true, delay);
        expect(getKeepAlive(client)).toEqual({
          enable: true,
          initialDelay: 7_200_000,
          interval: 75_000,
          count: 9,
        });
      });
    },
  );

  test('with a new delay, after setKeepAlive(), resets interval and count to 1 s and 10', async () => {
    await withPair(({ client }) => {
      setKeepAlive(client, OURS);
      client.setKeepAlive(true, 20_000);
      expect(getKeepAlive(client)).toEqual({
        enable: true,
        initialDelay: 20_000,
        interval: 1_000,
        count: 10,
      });
    });
  });

  test('with the same delay as before, after setKeepAlive(), is skipped by its cache', async () => {
    await withPair(({ client }) => {
      client.setKeepAlive(true, 20_000);
      setKeepAlive(client, OURS);
      client.setKeepAlive(true, 20_000);
      expect(getKeepAlive(client)).toEqual(OURS);
    });
  });

  test('cannot enable what setKeepAlive() disabled, until its arguments differ', async () => {
    await withPair(({ client }) => {
      client.setKeepAlive(true, 20_000);
      setKeepAlive(client, false);
      client.setKeepAlive(true, 20_000);
      expect(getKeepAlive(client).enable).toBe(false);
      client.setKeepAlive(true, 21_000);
      expect(getKeepAlive(client).enable).toBe(true);
    });
  });

  test('before connecting is overwritten by a later setKeepAlive()', async () => {
    await withPair(({ client }) => {
      client.setKeepAlive(true, 5_000);
      setKeepAlive(client, OURS);
      expect(getKeepAlive(client)).toEqual(OURS);
    });
  });

  test('accepts the result of getKeepAlive() where it accepts an object', async ({ skip }) => {
    await withPair(({ client, accepted }) => {
      skip(!coreTakesAll(client), `Node ${process.version} takes no interval and count`);
      setKeepAlive(client, OURS);
      // The types of Node 20 have only two arguments.
      (accepted.setKeepAlive as (options: unknown) => Socket)(getKeepAlive(client));
      expect(getKeepAlive(accepted)).toEqual(OURS);
    });
  });

  test('calls the handle of the TCP socket only if its arguments differ, also from TLS', async () => {
    await withPair(({ client, accepted }) => {
      const secure = [
        tls.connect({ socket: client, rejectUnauthorized: false }),
        new tls.TLSSocket(accepted, { isServer: true }),
      ];
      for (const [i, socket] of [client, accepted].entries()) {
        const { _handle: handle } = socket as unknown as { _handle: { setKeepAlive: unknown } };
        const calls: unknown[][] = [];
        handle.setKeepAlive = (...args: unknown[]) => calls.push(args);
        for (const one of [socket, secure[i]?.on('error', () => {})]) {
          one?.setKeepAlive(true, 20_000);
          one?.setKeepAlive(true, 20_000);
        }
        expect(calls.map((args) => args.slice(0, 2))).toEqual([
          [true, 20],
          [true, 20],
        ]);
        secure[i]?.destroy();
      }
    });
  });

  test('http.Agent keeps the values of this package when it reuses a socket', async () => {
    const server = http.createServer((_request, response) => response.end('ok'));
    const port = await listen(server);
    const agent = new http.Agent({ keepAlive: true, keepAliveMsecs: 3_000 });
    const get = async () => {
      const request = http.get({ port, host: '127.0.0.1', agent });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      await once(response, 'end');
      const socket = request.socket as Socket;
      await new Promise(setImmediate);
      return socket;
    };
    const first = await get();
    expect(getKeepAlive(first)).toMatchObject({ enable: true, initialDelay: 3_000, count: 10 });
    setKeepAlive(first, OURS);
    expect(await get()).toBe(first);
    expect(getKeepAlive(first)).toEqual(OURS);
    agent.destroy();
    server.close();
  });
});
