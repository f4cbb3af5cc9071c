// When a heartbeat has the kernel probe a peer that the program cannot hear, and what that leaves of the program's keepalive.

import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { Heartbeat } from '../../dist/heartbeat.js';
import { fdOf, listen } from '../support/net';
import { onLinux } from '../support/platform';
import {
  getInt,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  setInt,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from '../support/reference-addon';

/** linux/tcp.h */
const TCP_USER_TIMEOUT = 18;

const RHYTHM = { interval: 1_000, timeout: 8_000 };
/** When the peer is late, in ms. */
const LATE = 4_500;

/** Keepalive in the kernel: the switch, and the initial delay in seconds. */
const keepAliveOf = (socket: net.Socket) =>
  [
    getInt(fdOf(socket), SOL_SOCKET, SO_KEEPALIVE),
    getInt(fdOf(socket), IPPROTO_TCP, TCP_KEEPIDLE),
  ].join(' ');

/**
 * Watches a paused socket of a living peer. Returns the values of keepalive that the kernel had, in this order: the first
 * three, or all until well after the peer is late.
 */
async function watch(
  prepare: (fd: number) => void,
  onChange: (fd: number) => void = () => {},
): Promise<string[]> {
  const server = net.createServer({ pauseOnConnect: true });
  const client = net.connect(await listen(server), '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  try {
    prepare(fdOf(accepted));
    const seen = [keepAliveOf(accepted)];
    const heartbeat = new Heartbeat(accepted, RHYTHM);
    const end = performance.now() + 1.5 * LATE;
    // A probe that has begun ends by the peer's answer.
    while (seen.length === 2 || (seen.length < 2 && performance.now() < end)) {
      await sleep(4);
      const now = keepAliveOf(accepted);
      if (now === seen.at(-1)) continue;
      seen.push(now);
      onChange(fdOf(accepted));
    }
    heartbeat.close();
    const last = keepAliveOf(accepted);
    if (last !== seen.at(-1)) seen.push(last);
    expect(accepted.destroyed).toBe(false);
    return seen;
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
  }
}

describe('a heartbeat of a paused socket', () => {
  beforeEach(onLinux('it probes at once'));

  test.concurrent('switches keepalive on for a probe, and restores it when the peer answers', async () => {
    expect(await watch((fd) => setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 70))).toEqual([
      ...['0 70', '1 1', '0 70'],
    ]);
  });

  test.concurrent('restores a keepalive that probes too late', async () => {
    const seen = await watch((fd) => {
      setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 70);
      setInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    });
    expect(seen).toEqual(['1 70', '1 1', '1 70']);
  });

  test.concurrent('does not change a keepalive that probes three times within the timeout', async () => {
    const seen = await watch((fd) => {
      setInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
      setInt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
      setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 5);
    });
    expect(seen).toEqual(['1 5']);
  });

  test.concurrent('does not probe with a user timeout: its second probe would end the connection', async () => {
    const seen = await watch((fd) => setInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 10_000));
    expect(seen).toHaveLength(1);
  });

  test.concurrent('leaves a keepalive that the program sets while it probes', async () => {
    let changes = 0;
    const seen = await watch(
      (fd) => setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 70),
      (fd) => {
        if (changes++ === 0) setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 55);
      },
    );
    expect(seen).toEqual(['0 70', '1 1', '1 55']);
  });
});
