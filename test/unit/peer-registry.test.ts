// PeerRegistry: which connection stays when a peer reconnects, and that closed ones are forgotten.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { PeerRegistry, type PeerRegistryOptions } from '../../dist/heartbeat.js';
import { listen } from '../support/net';
import { onLinux } from '../support/platform';
import { withUncaught } from '../support/uncaught';

/** A server, and connections to it that close at the end. */
async function withServer(
  use: (connect: () => Promise<{ near: net.Socket; far: net.Socket }>) => Promise<void>,
): Promise<void> {
  const server = net.createServer({ allowHalfOpen: true });
  const port = await listen(server);
  const opened: net.Socket[] = [];
  const connect = async () => {
    const far = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const [[near]] = (await Promise.all([once(server, 'connection'), once(far, 'connect')])) as [
      [net.Socket],
      unknown,
    ];
    for (const socket of [near, far]) socket.resume().on('error', () => {});
    opened.push(near, far);
    return { near, far };
  };
  try {
    await use(connect);
  } finally {
    for (const socket of opened) socket.destroy();
    server.close();
  }
}

const open = () => new PassThrough().on('error', () => {});

describe('supersede', () => {
  test('destroys the older connection at once with ERR_PEER_SUPERSEDED', async () => {
    await withServer(async (connect) => {
      const registry = new PeerRegistry();
      const told: unknown[] = [];
      registry.on('superseded', (older, newer) => told.push([older, newer, registry.size]));
      registry.on('released', () => told.push('released'));
      const [first, second] = [await connect(), await connect()];
      const reset = new Promise<NodeJS.ErrnoException>((resolve) =>
        first.far.once('error', resolve),
      );
      const failed = new Promise<Error>((resolve) => first.near.once('error', resolve));
      expect(registry.claim('device', first.near)).toBe(true);
      expect(registry.claim('device', second.near)).toBe(true);
      expect(first.near.destroyed).toBe(true);
      expect(registry.get('device')).toEqual([second.near]);
      expect(registry.identityOf(first.near)).toBeUndefined();
      expect(told).toEqual([
        [
          expect.objectContaining({ identity: 'device', socket: first.near }),
          expect.objectContaining({ identity: 'device', socket: second.near }),
          1,
        ],
      ]);
      expect(await failed).toMatchObject({
        name: 'PeerSupersededError',
        code: 'ERR_PEER_SUPERSEDED',
        message: 'The peer has come back with another connection',
      });
      // The other side gets a reset.
      expect((await reset).code).toBe('ECONNRESET');
      expect(told).toHaveLength(1);
      expect(registry.counts()).toMatchObject({ identities: 1, connections: 1, superseded: 1 });
    });
  });

  test('onSuperseded may claim again: the newest connection stays, and the outer claim() returns false', () => {
    const registry = new PeerRegistry<string, PassThrough>();
    const [first, second, third] = [open(), open(), open()];
    registry.claim('device', first, { onSuperseded: () => void registry.claim('device', third) });
    expect(registry.claim('device', second)).toBe(false);
    expect(registry.get('device')).toEqual([third]);
    expect(second.errored).toMatchObject({ code: 'ERR_PEER_SUPERSEDED' });
    expect(registry.counts()).toMatchObject({ identities: 1, connections: 1, superseded: 2 });
  });

  test('leaves the older connection open if it has an onSuperseded', () => {
    const registry = new PeerRegistry<string, PassThrough>();
    const [older, newer] = [open(), open()];
    registry.claim('device', older, {
      onSuperseded: (by) => {
        expect(by).toBe(newer);
        expect(registry.get('device')).toEqual([newer]);
        older.end('replaced');
      },
    });
    registry.claim('device', newer);
    expect(older.destroyed).toBe(false);
    expect(String(older.read())).toBe('replaced');
  });

  const wrong = new Error('from onSuperseded');
  test.each([
    [
      'throws',
      () => {
        throw wrong;
      },
    ],
    ['is rejected', () => Promise.reject(wrong) as never],
  ])(
    'an onSuperseded that %s: its socket is destroyed with that error, and the newer one stays',
    (_how, onSuperseded) =>
      withUncaught(async (thrown) => {
        const registry = new PeerRegistry<string, PassThrough>({ limit: 2 });
        const told: unknown[] = [];
        registry.on('superseded', ({ socket }) => told.push(socket));
        const sockets = Array.from({ length: 6 }, open);
        for (const socket of sockets)
          expect(registry.claim('device', socket, { onSuperseded })).toBe(true);
        await sleep(5);
        expect(sockets.map(({ errored }) => errored)).toEqual([
          wrong,
          wrong,
          wrong,
          wrong,
          null,
          null,
        ]);
        expect(told).toEqual(sockets.slice(0, 4));
        expect(registry.get('device')).toEqual(sockets.slice(4));
        expect(registry.counts()).toMatchObject({ connections: 2, superseded: 4 });
        expect(thrown).toEqual([]);
      }),
  );

  test('warns of an onSuperseded that throws after it destroyed its socket', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const registry = new PeerRegistry<string, PassThrough>();
    const older = open();
    registry.claim('device', older, {
      onSuperseded: () => {
        older.destroy();
        throw wrong;
      },
    });
    expect(registry.claim('device', open())).toBe(true);
    expect(warned.mock.calls).toEqual([[wrong]]);
    warned.mockRestore();
  });

  test('the error of a listener is uncaught and interrupts nothing', () =>
    withUncaught(async (thrown) => {
      const registry = new PeerRegistry<string, PassThrough>({
        policy: ({ identity }) => (identity === 'a' ? 'supersede' : 'refuse'),
      });
      for (const event of ['superseded', 'refused', 'released'] as const) {
        registry.on(event, () => {
          throw new Error(event);
        });
      }
      const [first, second, third, fourth] = [open(), open(), open(), open()];
      expect(registry.claim('a', first)).toBe(true);
      expect(registry.claim('a', second)).toBe(true);
      expect(first.destroyed).toBe(true);
      expect(registry.claim('b', third)).toBe(true);
      expect(registry.claim('b', fourth)).toBe(false);
      expect(registry.release(second)).toBe(true);
      third.destroy();
      await once(third, 'close');
      expect(registry.size).toBe(0);
      expect(registry.counts()).toMatchObject({ identities: 0, superseded: 1, refused: 1 });
      await sleep(5);
      expect(thrown.map((error) => (error as Error).message)).toEqual([
        'superseded',
        'refused',
        'released',
        'released',
      ]);
    }));

  test('the error of a socket that is released or destroyed is uncaught and interrupts nothing', () =>
    withUncaught(async (thrown) => {
      const registry = new PeerRegistry<string, PassThrough>();
      const [first, second, third] = [open(), open(), open()];
      registry.claim('a', first);
      // Node's streams emit 'removeListener' only if the event has another listener.
      first.on('close', () => {});
      first.on('removeListener', () => {
        throw new Error('left');
      });
      second.destroy = () => {
        throw new Error('destroyed');
      };
      expect(registry.claim('a', second)).toBe(true);
      expect(first.destroyed).toBe(true);
      expect(registry.claim('a', third)).toBe(true);
      expect([...registry].map(({ socket }) => socket)).toEqual([third]);
      expect(registry.counts()).toMatchObject({ connections: 1, superseded: 2 });
      await expect
        .poll(() => thrown.map((error) => (error as Error).message))
        .toEqual(['left', 'destroyed']);
    }));

  test('claiming a socket again changes nothing, and another identity moves it', () => {
    const registry = new PeerRegistry<string, PassThrough>();
    const socket = open();
    expect(registry.claim('a', socket)).toBe(true);
    expect(registry.claim('a', socket)).toBe(true);
    expect(socket.listenerCount('close')).toBe(1);
    expect(registry.claim('b', socket)).toBe(true);
    expect(registry.get('a')).toEqual([]);
    expect(registry.get('b')).toEqual([socket]);
    expect(registry.counts()).toMatchObject({ identities: 1, connections: 1, superseded: 0 });
    expect(socket.listenerCount('close')).toBe(1);
  });

  test('rejects the claim of a closed socket, and keeps the older one', () => {
    const registry = new PeerRegistry<string, PassThrough>();
    const [living, closed] = [open(), open()];
    registry.claim('device', living);
    closed.destroy();
    expect(registry.claim('device', closed)).toBe(false);
    expect(living.destroyed).toBe(false);
    expect(registry.get('device')).toEqual([living]);
  });

  test("a destroyed socket that has not emitted 'close' does not count toward the limit", () => {
    const registry = new PeerRegistry<string, PassThrough>({ policy: 'refuse' });
    const released: string[] = [];
    registry.on('released', ({ identity }) => released.push(identity));
    const [older, newer] = [open(), open()];
    registry.claim('device', older);
    older.destroy();
    expect(registry.claim('device', newer)).toBe(true);
    expect(released).toEqual(['device']);
    expect(registry.counts()).toMatchObject({ connections: 1, superseded: 0 });
  });
});

describe('policies', () => {
  test("refuse: emits 'refused' for the newer socket, and leaves it open", () => {
    const registry = new PeerRegistry<string, PassThrough>({ policy: 'refuse' });
    const [older, newer] = [open(), open()];
    const refused: unknown[] = [];
    registry.on('refused', (identity, socket) => refused.push([identity, socket]));
    registry.claim('device', older);
    expect(registry.claim('device', newer)).toBe(false);
    expect(refused).toEqual([['device', newer]]);
    expect([older.destroyed, newer.destroyed]).toEqual([false, false]);
    expect(newer.listenerCount('close')).toBe(0);
    expect(registry.counts()).toMatchObject({ connections: 1, refused: 1 });
    older.destroy();
    expect(registry.claim('device', newer)).toBe(true);
  });

  test('a refused move keeps the identity of a socket', () => {
    const registry = new PeerRegistry<string, PassThrough>({ policy: 'refuse' });
    const [a, b] = [open(), open()];
    registry.claim('a', a);
    registry.claim('b', b);
    expect(registry.claim('a', b)).toBe(false);
    expect(registry.identityOf(b)).toBe('b');
  });

  test('a limit of 3 supersedes the oldest connection', () => {
    const registry = new PeerRegistry<string, PassThrough>({ limit: 3 });
    const sockets = Array.from({ length: 5 }, open);
    for (const socket of sockets) expect(registry.claim('device', socket)).toBe(true);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false, false]);
    expect(registry.get('device')).toEqual(sockets.slice(2));
    expect([...registry].map(({ socket }) => socket)).toEqual(sockets.slice(2));
    expect(registry.counts()).toMatchObject({ identities: 1, connections: 3, superseded: 2 });
  });

  test('a function decides for each identity', () => {
    const asked: unknown[] = [];
    const registry = new PeerRegistry<number, PassThrough>({
      policy: ({ identity, older, newer }) => {
        asked.push([identity, older.socket, newer]);
        return identity === 1 ? 'refuse' : 'supersede';
      },
    });
    const sockets = Array.from({ length: 4 }, open) as [
      PassThrough,
      PassThrough,
      PassThrough,
      PassThrough,
    ];
    registry.claim(1, sockets[0]);
    registry.claim(2, sockets[1]);
    expect(asked).toEqual([]);
    expect(registry.claim(1, sockets[2])).toBe(false);
    expect(registry.claim(2, sockets[3])).toBe(true);
    expect(asked).toEqual([
      [1, sockets[0], sockets[2]],
      [2, sockets[1], sockets[3]],
    ]);
  });

  test.each([
    ['an instance of Promise', () => Promise.resolve('refuse')],
    ['an instance of Promise', () => Promise.reject(new Error('rejected'))],
    ["type string ('Refuse')", () => 'Refuse'],
    ["type string ('refuse-if-alive')", () => 'refuse-if-alive'],
    ['undefined', () => undefined],
    ['type boolean (true)', () => true],
  ])('a function that returns %s is a TypeError, and nothing changes', (got, answer) =>
    withUncaught(async (thrown) => {
      const registry = new PeerRegistry<string, PassThrough>({ policy: answer as () => 'refuse' });
      const [older, newer] = [open(), open()];
      registry.on('superseded', () => thrown.push('superseded'));
      registry.on('refused', () => thrown.push('refused'));
      registry.claim('device', older);
      registry.claim('other', newer);
      expect(() => registry.claim('device', newer)).toThrow(
        expect.objectContaining({
          name: 'TypeError',
          code: 'ERR_INVALID_RETURN_VALUE',
          message: `Expected 'supersede' or 'refuse' to be returned from the "policy" function but got ${got}. It must answer at once.`,
        }),
      );
      expect([older.destroyed, newer.destroyed]).toEqual([false, false]);
      expect(registry.get('device')).toEqual([older]);
      expect(registry.get('other')).toEqual([newer]);
      expect(registry.counts()).toMatchObject({ superseded: 0, refused: 0 });
      expect(newer.listenerCount('close')).toBe(1);
      await sleep(5);
      expect(thrown).toEqual([]);
    }),
  );

  test('claim() throws the error of a function, and nothing changes', () => {
    const wrong = new Error('from policy');
    const registry = new PeerRegistry<string, PassThrough>({
      policy: () => {
        throw wrong;
      },
    });
    const [older, newer] = [open(), open()];
    registry.claim('device', older);
    expect(() => registry.claim('device', newer)).toThrow(wrong);
    expect(registry.get('device')).toEqual([older]);
    expect(newer.listenerCount('close')).toBe(0);
    expect(registry.release(older)).toBe(true);
  });

  test.each(['claim', 'release', 'clear'] as const)(
    'a function that calls %s() of its registry gets ERR_PEER_REGISTRY_BUSY',
    (name) => {
      const registry: PeerRegistry<string, PassThrough> = new PeerRegistry({
        policy: ({ older, newer }) => {
          if (name === 'claim') registry.claim('another', newer);
          if (name === 'release') registry.release(older.socket);
          if (name === 'clear') registry.clear();
          return 'supersede';
        },
      });
      const [older, newer] = [open(), open()];
      registry.claim('device', older);
      expect(() => registry.claim('device', newer)).toThrow(
        expect.objectContaining({
          code: 'ERR_PEER_REGISTRY_BUSY',
          message: expect.stringMatching(
            /^The policy must not change its registry: do it after claim\(\) returns$/,
          ),
        }),
      );
      expect([...registry].map(({ identity, socket }) => [identity, socket])).toEqual([
        ['device', older],
      ]);
      expect(registry.counts()).toMatchObject({ identities: 1, connections: 1 });
      expect([older, newer].map((one) => one.listenerCount('close'))).toEqual([1, 0]);
    },
  );

  test('a function may destroy the older socket, which is released, or the newer one, whose claim fails', () => {
    let victim: PassThrough;
    const registry = new PeerRegistry<string, PassThrough>({
      policy: () => {
        victim.destroy();
        return 'supersede';
      },
    });
    const released: unknown[] = [];
    registry.on('released', ({ socket }) => released.push(socket));
    const [first, second, third] = [open(), open(), open()];
    registry.claim('device', first);
    victim = first;
    expect(registry.claim('device', second)).toBe(true);
    expect(released).toEqual([first]);
    victim = third;
    expect(registry.claim('device', third)).toBe(false);
    expect(registry.get('device')).toEqual([second]);
    expect(second.destroyed).toBe(false);
    expect(third.listenerCount('close')).toBe(0);
  });

  test('refuse-if-alive: refuses while the kernel has received something within aliveWithin', async ({
    skip,
  }) => {
    onLinux('times of the last acknowledgement')({ skip });
    await withServer(async (connect) => {
      const registry = new PeerRegistry({ policy: 'refuse-if-alive', aliveWithin: 300 });
      const [a, b, c, d] = [await connect(), await connect(), await connect(), await connect()];
      expect(registry.claim('device', a.near)).toBe(true);
      expect(registry.claim('device', b.near)).toBe(false);
      await sleep(400);
      // An acknowledgement by the peer's kernel is enough.
      a.near.write('x');
      await sleep(20);
      expect(registry.claim('device', b.near)).toBe(false);
      await sleep(400);
      expect(registry.claim('device', c.near)).toBe(true);
      expect(a.near.destroyed).toBe(true);
      // A peer that has closed its side is not alive, however lately it did.
      c.far.end();
      await sleep(50);
      expect(registry.claim('device', d.near)).toBe(true);
      expect(registry.counts()).toMatchObject({ superseded: 2, refused: 2 });
    });
  });

  test('refuse-if-alive: supersedes the one of several connections that is not alive', async ({
    skip,
  }) => {
    onLinux('times of the last acknowledgement')({ skip });
    await withServer(async (connect) => {
      const registry = new PeerRegistry({ policy: 'refuse-if-alive', aliveWithin: 300, limit: 2 });
      const [a, b, c] = [await connect(), await connect(), await connect()];
      registry.claim('device', a.near);
      registry.claim('device', b.near);
      await sleep(400);
      a.far.write('x');
      await sleep(20);
      expect(registry.claim('device', c.near)).toBe(true);
      expect(registry.get('device')).toEqual([a.near, c.near]);
    });
  });

  test('refuse-if-alive: a stream without a socket does not count as alive', () => {
    const registry = new PeerRegistry<string, PassThrough>({
      policy: 'refuse-if-alive',
      aliveWithin: 60_000,
    });
    const [older, newer] = [open(), open()];
    registry.claim('device', older);
    expect(registry.claim('device', newer)).toBe(true);
    expect(older.destroyed).toBe(true);
  });
});

describe('its entries', () => {
  test('stay consistent when callbacks and listeners change the registry', async () => {
    const operation = fc.record({
      what: fc.constantFrom('claim', 'release', 'destroy', 'clear', 'close event'),
      identity: fc.constantFrom('a', 'b', 'c'),
      socket: fc.nat({ max: 7 }),
      answer: fc.constantFrom('supersede', 'refuse', 'wrong', 'throw'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(1, 2, 3),
        async (operations, limit) => {
          const sockets = Array.from({ length: 8 }, open);
          const left = [...operations];
          let depth = 0;
          const fail = new Error('from a callback');
          // Each callback runs the next operations, nested, and then returns an answer or throws.
          const nested = (): 'supersede' | 'refuse' => {
            if (depth < 4) {
              for (let i = 0; i < 2; i++) next();
            }
            const { answer } = left[0] ?? operations[0] ?? {};
            if (answer === 'throw') throw fail;
            return answer as 'supersede';
          };
          const registry = new PeerRegistry<string, PassThrough>({ limit, policy: nested });
          for (const event of ['superseded', 'refused', 'released'] as const) {
            registry.on(event, () => void nested());
          }
          const next = () => {
            const one = left.shift();
            if (one === undefined) return;
            const socket = sockets[one.socket] as PassThrough;
            depth++;
            try {
              if (one.what === 'claim') {
                registry.claim(one.identity, socket, { onSuperseded: () => void nested() });
              }
              if (one.what === 'release') registry.release(socket);
              if (one.what === 'destroy') socket.destroy();
              if (one.what === 'clear') registry.clear();
              if (one.what === 'close event') socket.destroy().emit('close');
            } catch (error) {
              const { code } = error as NodeJS.ErrnoException;
              const codes = ['ERR_PEER_REGISTRY_BUSY', 'ERR_INVALID_RETURN_VALUE'];
              if (error !== fail && !codes.includes(code ?? '')) throw error;
            } finally {
              depth--;
            }
          };
          await withUncaught(async (thrown) => {
            while (left.length > 0) {
              next();
              checkInvariants(registry, sockets, limit);
            }
            await sleep(0);
            expect(thrown.filter((error) => error !== fail)).toEqual([]);
          });
          // Closed sockets have been released.
          checkInvariants(registry, sockets, limit);
          expect([...registry].filter(({ socket }) => socket.destroyed)).toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
  });

  function checkInvariants(
    registry: PeerRegistry<string, PassThrough>,
    sockets: readonly PassThrough[],
    limit: number,
  ): void {
    const peers = [...registry];
    const { identities, connections } = registry.counts();
    expect(registry.size).toBe(peers.length);
    expect(connections).toBe(peers.length);
    expect(identities).toBe(new Set(peers.map(({ identity }) => identity)).size);
    const held = ['a', 'b', 'c'].flatMap((identity) => {
      const own = registry.get(identity);
      expect(own.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(limit);
      return own.map((socket) => ({ identity, socket }));
    });
    expect(held.length).toBe(peers.length);
    for (const { identity, socket } of held) expect(registry.identityOf(socket)).toBe(identity);
    for (const socket of sockets) {
      const isHeld = registry.identityOf(socket) !== undefined;
      // A destroyed socket may have emitted 'close' already.
      if (!socket.destroyed) expect(socket.listenerCount('close')).toBe(isHeld ? 1 : 0);
    }
  }

  test('exclude closed, released and cleared sockets', async () => {
    await withServer(async (connect) => {
      const registry = new PeerRegistry();
      const released: string[] = [];
      registry.on('released', ({ identity }) => released.push(identity));
      const [a, b, c] = [await connect(), await connect(), await connect()];
      const before = c.near.listenerCount('close');
      registry.claim('a', a.near);
      registry.claim('b', b.near);
      registry.claim('c', c.near);
      a.near.destroy();
      await once(a.near, 'close');
      expect(registry.release(b.near)).toBe(true);
      expect(registry.release(b.near)).toBe(false);
      expect(released).toEqual(['a', 'b']);
      expect(b.near.destroyed).toBe(false);
      registry.clear();
      expect(registry.size).toBe(0);
      expect([...registry]).toEqual([]);
      expect(c.near.listenerCount('close')).toBe(before);
      expect(c.near.destroyed).toBe(false);
      expect(registry.counts()).toMatchObject({ identities: 0, connections: 0, superseded: 0 });
    });
  });

  test('hold one connection after 1000 claims of one identity', () => {
    const registry = new PeerRegistry<string, PassThrough>();
    for (let i = 0; i < 1_000; i++) registry.claim('device', open());
    expect(registry.size).toBe(1);
    expect(registry.counts()).toMatchObject({ identities: 1, connections: 1, superseded: 999 });
  });

  test('have the time of the claim in since', () => {
    const registry = new PeerRegistry<string, PassThrough>();
    const before = Date.now();
    registry.claim('device', open());
    const [peer] = [...registry];
    expect(peer?.since).toBeGreaterThanOrEqual(before);
    expect(peer?.since).toBeLessThanOrEqual(Date.now());
  });
});

describe('counts', () => {
  test('counts the states that ss reports', async ({ skip }) => {
    onLinux('ss')({ skip });
    await withServer(async (connect) => {
      const registry = new PeerRegistry();
      const pairs = [];
      for (let i = 0; i < 6; i++) pairs.push(await connect());
      for (const [index, { near }] of pairs.entries()) registry.claim(`device ${index}`, near);
      pairs[0]?.far.end();
      pairs[1]?.far.end();
      pairs[2]?.near.end();
      await sleep(50);
      const ports = pairs.map(({ far }) => far.localPort);
      const states = execFileSync('ss', ['-tanH', 'src', `:${pairs[0]?.near.localPort}`], {
        encoding: 'utf8',
      })
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((words) => ports.includes(Number(words[4]?.split(':').at(-1))))
        .map(([state]) => state);
      expect(states.filter((state) => state === 'CLOSE-WAIT')).toHaveLength(2);
      const counts = registry.counts();
      expect(counts).toEqual({
        identities: 6,
        connections: 6,
        superseded: 0,
        refused: 0,
        established: states.filter((state) => state === 'ESTAB').length,
        halfOpen: 0,
        closeWait: states.filter((state) => state === 'CLOSE-WAIT').length,
        other: 1,
        unknown: 0,
      });
      expect(await registry.countsAsync()).toEqual(counts);
    });
  });

  test('counts streams that are no sockets as unknown', () => {
    const registry = new PeerRegistry<string, PassThrough>();
    registry.claim('device', open());
    expect(registry.counts()).toMatchObject({
      connections: 1,
      established: 0,
      other: 0,
      unknown: 1,
    });
  });
});

describe('arguments', () => {
  test.each([
    [
      null,
      /TypeError ERR_INVALID_ARG_TYPE: The "options" argument must be an object with any of limit, policy, aliveWithin/,
    ],
    [{ limit: 0 }, /RangeError ERR_OUT_OF_RANGE.*"options.limit".*an integer >= 1/],
    [{ limit: 1.5 }, /ERR_OUT_OF_RANGE/],
    [{ limit: '2' }, /ERR_INVALID_ARG_TYPE/],
    [
      { policy: 'kill' },
      /ERR_INVALID_ARG_VALUE.*must be 'supersede', 'refuse-if-alive', 'refuse' or a function. Received 'kill'/,
    ],
    [
      { policy: 'refuse-if-alive' },
      /ERR_INVALID_ARG_TYPE.*"options.aliveWithin" argument must be a number of milliseconds/,
    ],
    [{ policy: 'refuse-if-alive', aliveWithin: 0 }, /ERR_OUT_OF_RANGE/],
    [
      { policies: 'refuse' },
      /ERR_INVALID_ARG_VALUE.*unknown option "policies" \(known: limit, policy/,
    ],
  ])('rejects %j', (options, message) => {
    expect(() => {
      try {
        new PeerRegistry(options as PeerRegistryOptions);
      } catch (error) {
        const { name, code, message } = error as NodeJS.ErrnoException;
        throw new Error(`${name} ${code}: ${message}`);
      }
    }).toThrow(message);
  });

  test('claim() rejects wrong identities, sockets and options', () => {
    const registry = new PeerRegistry<string, never>();
    const claim = (...args: unknown[]) => Reflect.apply(registry.claim, registry, args);
    const stream = open();
    const wrong = [
      undefined,
      null,
      {},
      [],
      Buffer.from('device'),
      () => {},
      Symbol('device'),
      true,
    ];
    for (const identity of wrong) {
      expect(() => claim(identity, stream)).toThrow(
        /"identity" argument must be a string, a number or a bigint, which the peer is known by. Received/,
      );
    }
    expect(() => claim(Number.NaN, stream)).toThrow(
      /"identity" argument must not be NaN. Received NaN/,
    );
    expect(() => claim('device', {})).toThrow(/"socket" argument must be a net.Socket/);
    expect(() => claim('device', stream, { onSuperseded: 1 })).toThrow(
      /options.onSuperseded.*a function/,
    );
    expect(() => claim('device', stream, { superseded() {} })).toThrow(
      /unknown option "superseded" \(did you mean "onSuperseded"\?\)/,
    );
    expect(registry.size).toBe(0);
    expect(stream.listenerCount('close')).toBe(0);
  });

  test('reads each option once', () => {
    const read: string[] = [];
    const noting = <T extends object>(values: T) =>
      new Proxy(values, {
        get: (target, name) => {
          read.push(String(name));
          return Reflect.get(target, name);
        },
      });
    const registry = new PeerRegistry<string, PassThrough>(
      noting({ limit: 1, policy: 'supersede', aliveWithin: 5 } as const),
    );
    registry.claim('device', open(), noting({ onSuperseded: () => {} }));
    expect(read.sort()).toEqual(['aliveWithin', 'limit', 'onSuperseded', 'policy']);
  });

  test('types', () => {
    const registry = new PeerRegistry();
    expectTypeOf(registry.get('device')).toEqualTypeOf<net.Socket[]>();
    expectTypeOf(registry.claim).parameter(1).toEqualTypeOf<net.Socket>();
  });
});

describe('values of the kernel, of any system', () => {
  const require = createRequire(__filename);
  /** Replaces the kernel's columns: a row for each connection, in the order of the claims. */
  const tell = (columns: Record<string, readonly number[]>) => {
    const nothing = columns.state?.map(() => Number.NaN);
    const told = {
      ...{ probes: nothing, consecutiveTimeouts: nothing },
      ...{ timeSinceLastDataReceived: nothing, timeSinceLastAckReceived: nothing },
      ...columns,
    };
    vi.spyOn(require('../../dist/index.bundle.js'), 'readTcpInfos').mockReturnValue(told as never);
    vi.spyOn(require('../../dist/index.bundle.js'), 'readTcpInfosAsync').mockResolvedValue(
      told as never,
    );
  };
  const [ESTABLISHED, CLOSE_WAIT, FIN_WAIT_2] = [4, 7, 6];

  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('halfOpen counts peers with two unanswered probes or retransmissions in a row', async () => {
    const registry = new PeerRegistry<number, PassThrough>();
    for (let i = 0; i < 7; i++) registry.claim(i, open());
    const { NaN: unknown } = Number;
    tell({
      state: [ESTABLISHED, ESTABLISHED, ESTABLISHED, ESTABLISHED, CLOSE_WAIT, FIN_WAIT_2, unknown],
      probes: [0, 1, 2, 0, 5, 0, unknown],
      consecutiveTimeouts: [0, 0, 0, 3, 0, 0, unknown],
    });
    const expected = { established: 2, halfOpen: 2, closeWait: 1, other: 1, unknown: 1 };
    expect(registry.counts()).toMatchObject(expected);
    expect(await registry.countsAsync()).toMatchObject({ ...expected, connections: 7 });
  });

  test('halfOpen is null on a system that does not report probes', () => {
    const registry = new PeerRegistry<number, PassThrough>();
    registry.claim(0, open());
    tell({ state: [ESTABLISHED] });
    expect(registry.counts()).toMatchObject({ established: 1, halfOpen: null, closeWait: 0 });
  });

  test('every state is null without an addon', async () => {
    const registry = new PeerRegistry<number, PassThrough>();
    for (let i = 0; i < 3; i++) registry.claim(i, open());
    const missing = Object.assign(new Error('no addon'), { code: 'ERR_ADDON_NOT_FOUND' });
    for (const name of ['readTcpInfos', 'readTcpInfosAsync']) {
      vi.spyOn(require('../../dist/index.bundle.js'), name as never).mockImplementation((() => {
        throw missing;
      }) as never);
    }
    const expected = {
      connections: 3,
      established: null,
      halfOpen: null,
      closeWait: null,
      other: null,
      unknown: 3,
    };
    expect(registry.counts()).toMatchObject(expected);
    expect(await registry.countsAsync()).toMatchObject(expected);
  });

  test.each([
    ['an acknowledgement', { timeSinceLastAckReceived: [900] }, true],
    ['data', { timeSinceLastDataReceived: [900], timeSinceLastAckReceived: [5_000] }, true],
    ['neither', { timeSinceLastDataReceived: [1_100], timeSinceLastAckReceived: [1_100] }, false],
    ['but a probe waits', { timeSinceLastAckReceived: [900], probes: [1] }, false],
    [
      'but a retransmission waits',
      { timeSinceLastAckReceived: [900], consecutiveTimeouts: [1] },
      false,
    ],
    ['but it closed its side', { state: [CLOSE_WAIT], timeSinceLastAckReceived: [5] }, false],
  ])('alive within 1 s: %s', (_what, columns, isAlive) => {
    const registry = new PeerRegistry<string, PassThrough>({
      policy: 'refuse-if-alive',
      aliveWithin: 1_000,
    });
    registry.claim('device', open());
    tell({ state: [ESTABLISHED], probes: [0], consecutiveTimeouts: [0], ...columns });
    expect(registry.claim('device', open())).toBe(!isAlive);
  });
});

test('accepts an onSuperseded that destroys its socket and throws an error of another realm', () => {
  const registry = new PeerRegistry<string, Duplex>();
  const [older, newer] = [new PassThrough(), new PassThrough()];
  registry.claim('x', older, {
    onSuperseded() {
      older.destroy();
      throw runInNewContext('new Error("of another realm")');
    },
  });
  expect(registry.claim('x', newer)).toBe(true);
  expect(registry.get('x')).toEqual([newer]);
  expect(registry.counts().superseded).toBe(1);
});
