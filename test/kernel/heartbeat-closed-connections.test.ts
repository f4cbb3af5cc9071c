// Heartbeats of connections that the kernel has closed, which libuv does not hear while it waits for nothing of them.

import { once } from 'node:events';
import net from 'node:net';
import { finished } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { Heartbeat } from '../../dist/heartbeat.js';
import { explainDisconnect } from '../../dist/index.js';
import { fdOf, listen } from '../support/net';
import { onLinux } from '../support/platform';
import { getBytes, IPPROTO_TCP } from '../support/reference-addon';

/** linux/tcp.h, linux/tcp_states.h. The state is the first byte of TCP_INFO. */
const TCP_INFO = 11;
const [ESTABLISHED, FIN_WAIT_2, CLOSE, CLOSE_WAIT] = [1, 5, 7, 8];

const stateOf = (socket: net.Socket) => getBytes(fdOf(socket), IPPROTO_TCP, TCP_INFO, 1)[0];

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5);
}

async function withPair(use: (client: net.Socket, accepted: net.Socket) => Promise<void>) {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const port = await listen(server);
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  client.on('error', () => {});
  try {
    await use(client, accepted);
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
  }
}

describe('a connection that the kernel closed without an event', () => {
  beforeEach(onLinux('the states of TCP_INFO in its numbers'));

  /** States in which libuv does not poll the socket, and the error of a reset in each. */
  const STATES = {
    paused: { code: 'ECONNRESET', state: ESTABLISHED, prepare: async () => {} },
    'half-closed by the peer': {
      code: 'EPIPE',
      state: CLOSE_WAIT,
      async prepare(accepted: net.Socket, client: net.Socket) {
        client.end();
        await once(accepted.resume(), 'end');
      },
    },
    'paused after its own end()': {
      code: 'ECONNRESET',
      state: FIN_WAIT_2,
      async prepare(accepted: net.Socket) {
        accepted.end();
        await until(() => stateOf(accepted) === FIN_WAIT_2);
      },
    },
  };

  test.each(Object.entries(STATES))(
    "reset while %s: is dead within the timeout, for the kernel's reason",
    (_how, { code, state, prepare }) =>
      withPair(async (client, accepted) => {
        const errors: Error[] = [];
        accepted.on('error', (error) => errors.push(error));
        await prepare(accepted, client);
        expect(stateOf(accepted)).toBe(state);
        const heartbeat = new Heartbeat(accepted, { interval: 100, timeout: 300 });
        client.resetAndDestroy();
        await until(() => stateOf(accepted) === CLOSE);
        expect(accepted.destroyed).toBe(false);
        const [death] = await once(heartbeat, 'dead');
        expect(death).toMatchObject({ reason: 'reset', code, state: 'CLOSED' });
        await until(() => accepted.closed);
        expect(errors).toMatchObject([{ code, death: { state: 'CLOSED' } }]);
        expect(explainDisconnect(errors[0] as Error)).toMatchObject({ peer: 'reset', code });
      }),
  );

  test('an onDead that leaves the socket open: it fails, and no truncated stream looks complete', () =>
    withPair(async (client, accepted) => {
      const heartbeat = new Heartbeat(accepted, { interval: 100, timeout: 300, onDead: () => {} });
      await new Promise((resolve) => client.write('a part', resolve));
      client.resetAndDestroy();
      await until(() => stateOf(accepted) === CLOSE);
      const ended = new Promise((resolve) => finished(accepted, resolve));
      await once(heartbeat, 'dead');
      accepted.resume();
      expect(await ended).toMatchObject({ code: 'ECONNRESET' });
    }));

  test('an onDead that destroys the socket without an error: there is none', () =>
    withPair(async (client, accepted) => {
      const errors: Error[] = [];
      accepted.on('error', (error) => errors.push(error));
      const onDead = (_death: unknown, socket: net.Socket) => void socket.destroy();
      new Heartbeat(accepted, { interval: 100, timeout: 300, onDead });
      client.resetAndDestroy();
      await until(() => accepted.closed);
      expect(errors).toEqual([]);
    }));

  test('closed in order with unread data: is not dead', () =>
    withPair(async (client, accepted) => {
      const heartbeat = new Heartbeat(accepted, { interval: 100, timeout: 300 });
      let dead = 0;
      heartbeat.on('dead', () => dead++);
      client.resume().end('the rest');
      accepted.end();
      await until(() => stateOf(accepted) === CLOSE);
      await sleep(800);
      expect(dead).toBe(0);
      const [chunk] = await once(accepted.resume(), 'data');
      expect(String(chunk)).toBe('the rest');
    }));
});
