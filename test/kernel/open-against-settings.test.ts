// What connect() and listen() have chosen, against Node's own settings, those of http agents, and tunings.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import {
  connect,
  getKeepAlive,
  getOption,
  getOptions,
  listen,
  tuneSockets,
} from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { listenEcho, listen as listenOnLoopback } from '../support/net';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const CHOSEN = {
  ...{ keepAlive: true, keepAliveInitialDelay: 30_000 },
  ...{ keepAliveInterval: 5_000, keepAliveCount: 3 },
};

describe('connect()', () => {
  test("keepalive and noDelay of socketOptions count for more than Node's own", async () => {
    const port = await listenEcho(closers);
    const ofNode = { port, host: '127.0.0.1', noDelay: true, keepAlive: true };
    const socket = connect({
      ...{ ...ofNode, keepAliveInitialDelay: 4_500 },
      socketOptions: { noDelay: false, keepAliveInterval: 3_000, keepAliveCount: 4 },
    });
    await once(socket, 'connect');
    // Node would set 1 s and 10. It rounds the delay down.
    const keepAlive = { enable: true, initialDelay: 4_000, interval: 3_000, count: 4 };
    expect(getKeepAlive(socket)).toEqual(keepAlive);
    expect(getOption(socket, 'noDelay')).toBe(false);
    socket.destroy();

    const without = connect({ ...ofNode, socketOptions: { keepAlive: false } });
    await once(without, 'connect');
    expect(getKeepAlive(without).enable).toBe(false);
    expect(getOption(without, 'noDelay')).toBe(true);
    without.destroy();
  });

  test("Node's own calls still change what socketOptions did not choose", async () => {
    const port = await listenEcho(closers);
    const socket = connect({
      ...{ port, host: '127.0.0.1', noDelay: true, keepAlive: true },
      socketOptions: { noDelay: true, keepAliveCount: 3 },
    });
    await once(socket, 'connect');
    expect(getKeepAlive(socket)).toMatchObject({ enable: true, count: 3 });
    socket.setNoDelay(false).setKeepAlive(false);
    expect(getOption(socket, 'noDelay')).toBe(false);
    expect(getKeepAlive(socket)).toMatchObject({ enable: false, count: 3 });
    socket.destroy();
  });

  /** Makes the socket by connect(), and the TLS socket over it as the guide says. */
  function agentOf(kind: 'http' | 'https', sockets: net.Socket[], chosen: object): http.Agent {
    const make = (options: object): net.Socket => {
      const socket = connect({ ...options, ...chosen } as net.TcpNetConnectOpts);
      sockets.push(socket);
      return socket;
    };
    class Plain extends http.Agent {
      override createConnection(options: net.NetConnectOpts): net.Socket {
        return make(options);
      }
    }
    class Secure extends https.Agent {
      override createConnection(options: object, callback?: (...args: never[]) => void): undefined {
        const socket = make(options);
        const done = callback as unknown as (error: null, socket: unknown) => void;
        socket.once('connect', () => {
          done(null, super.createConnection({ ...options, socket } as never, callback as never));
        });
      }
    }
    const options = { keepAlive: true, rejectUnauthorized: false };
    return kind === 'http' ? new Plain(options) : new Secure(options);
  }

  describe.each(['http', 'https'] as const)('under an %s.Agent that keeps its sockets', (kind) => {
    test.each([
      ['keepalive', { socketOptions: CHOSEN }, { enable: true, initialDelay: 30_000, count: 3 }],
      ['keepalive that is off', { socketOptions: { keepAlive: false } }, { enable: false }],
      ['deadPeerTimeout', { deadPeerTimeout: 20_000 }, { enable: true, interval: 2_000 }],
    ])('keeps %s', async (_name, chosen, expected) => {
      const web =
        kind === 'http'
          ? http.createServer((_request, response) => response.end())
          : https.createServer(certificate(), (_request, response) => response.end());
      closers.push(() => web.close());
      const port = await listenOnLoopback(web);
      const sockets: net.Socket[] = [];
      const agent = agentOf(kind, sockets, chosen);
      closers.push(() => agent.destroy());
      const module = kind === 'http' ? http : https;
      const request = module.get({ port, host: '127.0.0.1', agent });
      const [response] = await once(request, 'response');
      const [socket] = sockets as [net.Socket];
      expect(getKeepAlive(socket)).toMatchObject(expected);
      const freed = once(agent, 'free');
      response.resume();
      await freed;
      await nextTurn();
      expect(getKeepAlive(socket)).toMatchObject(expected);
    });
  });
});

test("listen() keeps keepalive and noDelay on accepted sockets, against the server's own and a tuning", async () => {
  const socketOptions = { noDelay: false, ...CHOSEN };
  const accept = async (server: net.Server): Promise<net.Socket> => {
    const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    closers.push(() => client.destroy());
    client.on('error', () => {});
    const [accepted] = await once(server, 'connection');
    return accepted;
  };
  for (const tuned of [undefined, { noDelay: true, keepAliveCount: 7, ttl: 9 }]) {
    const tuning = tuneSockets({ server: tuned });
    // http servers switch noDelay on.
    const server = http.createServer({ keepAlive: true, keepAliveInitialDelay: 1_000 });
    closers.push(() => server.close());
    listen(server, { port: 0, host: '127.0.0.1', socketOptions });
    await once(server, 'listening');
    const names = [
      ...(Object.keys(socketOptions) as (keyof typeof socketOptions)[]),
      'ttl',
    ] as const;
    const { ttl, ...held } = getOptions(await accept(server), names);
    expect(held).toEqual(socketOptions);
    if (tuned !== undefined) expect(ttl).toBe(9);
    tuning.close();
    server.close();
    // Without the options, those of the server count again.
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(getOptions(await accept(server), ['noDelay', 'keepAliveInitialDelay'])).toEqual({
      ...{ noDelay: true, keepAliveInitialDelay: 1_000 },
    });
  }
});
