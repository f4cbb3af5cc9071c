// Any value whatever, to the functions that open sockets: it is right, or the call throws before anything is opened.

import dgram from 'node:dgram';
import net from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bind, connect, listen, openSocket, SocketOptionError } from '../../dist/index.js';
import { anything, expectChecked, outcome, type Thrown } from '../support/any-value';
import { socketsOpen, untilOpen, untilOpenBlocking } from '../support/open-sockets';
import { referenceAddon } from '../support/reference-addon';

// Counting sockets takes Wine longer.
const RUNS = { numRuns: process.platform === 'win32' ? 20 : 100 };

const ignore = (): void => {};
/** A name is never found. */
const lookup = ignore as never;
const socketOptions = { noDelay: true };
const datagramOptions = { recvBufferSize: 50_000 };

function connected(options: object, listener?: never): void {
  connect({ lookup, ...options } as never, listener)
    .on('error', ignore)
    .destroy();
}

function listening(options: never, listener?: never): void {
  const server = net.createServer().on('error', ignore);
  try {
    listen(server, options, listener);
  } finally {
    server.close();
  }
}

function bound(options: never, listener?: never): void {
  const { address } = Object(options) as { readonly address?: unknown };
  // Without a look-up of the test, Node checks the address.
  const more = typeof address === 'string' ? { lookup } : {};
  const socket = dgram.createSocket({ type: 'udp4', ...more }).on('error', ignore);
  const before = socketsOpen();
  try {
    bind(socket, options, listener);
  } catch (error) {
    expect(socketsOpen(), 'opened before it threw').toBe(before);
    throw error;
  } finally {
    socket.close();
  }
}

function opened(options: never): void {
  referenceAddon.close(openSocket(options));
}

/** Arguments of this package. Only its own codes may be thrown. */
const own: Record<string, (value: never) => void> = {
  'connect: socketOptions': (value) => connected({ port: 1, socketOptions: value }),
  'connect: an option': (value) => connected({ port: 1, socketOptions: { noDelay: value } }),
  'connect: mptcp': (value) => connected({ port: 1, socketOptions: { mptcp: value } }),
  'connect: deadPeerTimeout': (value) => connected({ port: 1, deadPeerTimeout: value }),
  'connect: connectTimeout': (value) => connected({ port: 1, connectTimeout: value }),
  'connect: listener': (value) => connected({ port: 1, socketOptions }, value),
  'listen: server': (value) => void listen(value, { port: 0, socketOptions }),
  'listen: socketOptions': (value) => listening({ port: 0, socketOptions: value } as never),
  'listen: an option': (value) =>
    listening({ port: 0, socketOptions: { recvBufferSize: value } } as never),
  'listen: deadPeerTimeout': (value) => listening({ port: 0, deadPeerTimeout: value } as never),
  'listen: listener': (value) => listening({ port: 0, socketOptions } as never, value),
  'bind: socket': (value) => void bind(value, { port: 0, socketOptions: datagramOptions }),
  'bind: socketOptions': (value) => bound({ port: 0, socketOptions: value } as never),
  'bind: an option': (value) =>
    bound({ port: 0, socketOptions: { recvBufferSize: value } } as never),
  'bind: listener': (value) => bound({ port: 0, socketOptions: datagramOptions } as never, value),
  'openSocket: options': opened,
  'openSocket: type': (value) => opened({ type: value } as never),
  'openSocket: socketOptions': (value) => opened({ type: 'tcp4', socketOptions: value } as never),
  'openSocket: an option': (value) =>
    opened({ type: 'tcp4', socketOptions: { recvBufferSize: value } } as never),
};

/** Arguments of Node's functions, which Node checks. */
const ofNode: Record<string, (value: never) => void> = {
  'connect: options': (value) => connected(value),
  'listen: options': (value) => listening(value),
  'bind: options': (value) => bound(value),
  ...Object.fromEntries(
    ['port', 'host', 'path', 'family', 'hints', 'localAddress', 'localPort', 'lookup', 'signal']
      .concat('noDelay', 'keepAlive', 'keepAliveInitialDelay', 'autoSelectFamily', 'timeout')
      .concat('autoSelectFamilyAttemptTimeout', 'allowHalfOpen', 'onread')
      .map((name) => [
        `connect: ${name}`,
        (value: never) => connected({ port: 1, socketOptions, [name]: value }),
      ]),
  ),
  ...Object.fromEntries(
    // On Windows, libuv aborts the process for a backlog that is not positive.
    [
      'port',
      'fd',
      ...(process.platform === 'win32' ? [] : ['backlog']),
      'exclusive',
      'ipv6Only',
      'reusePort',
      'signal',
    ].map((name) => [
      `listen: ${name}`,
      (value: never) => listening({ port: 0, socketOptions, [name]: value } as never),
    ]),
  ),
  ...Object.fromEntries(
    ['port', 'address', 'exclusive', 'fd'].map((name) => [
      `bind: ${name}`,
      (value: never) => bound({ port: 0, socketOptions: datagramOptions, [name]: value } as never),
    ]),
  ),
};

function expectCheckedByNode(error: Thrown): void {
  // Node converts a host to a string, which some values refuse.
  if (error.message.startsWith('Cannot convert ')) return;
  expect(error.code, error.message).toMatch(/^ERR_/);
}

describe.each([
  ['of this package', own, expectChecked],
  ['of Node', ofNode, expectCheckedByNode],
] as const)('arguments %s', (_, calls, expectCode) => {
  test.each(Object.entries(calls))('%s', async (name, call) => {
    const before = socketsOpen();
    fc.assert(
      fc.property(anything, (value) => {
        // A small number is a descriptor of this process: that is a right argument.
        fc.pre(!(name.endsWith('fd') && typeof value === 'number' && value >= 0));
        const open = socketsOpen();
        const error = outcome(() => call(value as never));
        if (error === undefined) return;
        if (!(error instanceof SocketOptionError)) expectCode(error);
        untilOpenBlocking(open);
      }),
      RUNS,
    );
    await untilOpen(before);
  });
});
