// Options that are set too late: what the kernel does with them in each state of a socket, and what setOptions() does.

import dgram from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isSupported, type OptionName, setOptions } from '../../dist/index.js';
import { type Row, rows } from '../../lib/catalogue/catalogue';
import { commandInNamespace, needsNamespace, withoutNamespace } from '../support/namespace';
import { withPair } from '../support/net';
import { onLinux } from '../support/platform';
import { needsStrace, withoutStrace } from '../support/strace';

/** What the kernel does: refuses, accepts without an effect, acts, or changes only what others may do with the socket. */
type Outcome = 'refused' | 'none' | 'acts' | 'others' | 'missing';
/** By option, then by state. */
type Table<Value> = Record<string, Record<string, Value>>;

const late = (Object.entries(rows()) as [OptionName, Row][]).filter(
  ([, row]) => row.tooLate !== undefined && row.linux !== null,
);
const fixture = (name: string) => join(__dirname, '../fixtures', name);

beforeEach(onLinux('states and options of its kernel'));

describe('the kernel, in each state of a socket', () => {
  let measured: Record<'stream' | 'datagram', Table<Outcome>>;
  beforeEach(needsNamespace);
  beforeAll(async () => {
    if (withoutNamespace !== undefined) return;
    const { stdout } = await commandInNamespace(['python3', '-B', fixture('too-late/run.py')]);
    measured = JSON.parse(stdout);
  }, 160_000);

  test('there is an experiment for each option that can be too late', () => {
    expect(Object.keys(measured.stream).sort()).toEqual(late.map(([name]) => name).sort());
  });

  test.for(late)('%s: does not act in the states that it names', ([name, row], { skip }) => {
    const states = Object.entries(measured.stream[name] ?? {});
    skip(states[0]?.[1] === 'missing', 'this kernel does not have the option');
    expect(states).toHaveLength(5);
    const idle = states.filter(([, outcome]) => outcome !== 'acts').map(([state]) => state);
    expect(idle).toEqual(row.tooLate);
  });

  test('a UDP socket with a peer does what a bound one does', () => {
    for (const [name, { bound, connected }] of Object.entries(measured.datagram)) {
      expect(connected, name).toBe(bound);
      const isLate = rows()[name]?.tooLate?.includes('bound') ?? false;
      expect(bound, name).toBe(isLate ? 'none' : 'acts');
    }
  });
});

describe('setOptions, in each state of a socket', () => {
  /** By kind of socket, state and option: the code of the error, or 'set'. */
  let outcomes: Record<string, Table<string>>;
  /** By kind, state and option: the names of the system calls that set something. */
  const calls = new Map<string, string[]>();
  beforeEach((context) => {
    needsNamespace(context);
    needsStrace(context);
  });
  beforeAll(async () => {
    if (withoutNamespace !== undefined || withoutStrace !== undefined) return;
    const values = Object.fromEntries(late.map(([name, row]) => [name, row.example]));
    const { stdout, stderr } = await commandInNamespace([
      ...['python3', fixture('late-sockets.py'), 'strace', '-f', '-qq', '-e', 'signal=none'],
      ...['-e', 'trace=setsockopt,access', process.execPath, fixture('late-options.mjs')],
      JSON.stringify(values),
    ]);
    outcomes = JSON.parse(stdout);
    let mark = '';
    for (const line of stderr.split('\n')) {
      mark = /access\("\/mark\/([^"]+)"/.exec(line)?.[1] ?? mark;
      const option = /\bsetsockopt\(\d+, \w+, (\w+)/.exec(line)?.[1];
      if (option !== undefined) calls.set(mark, [...(calls.get(mark) ?? []), option]);
    }
  }, 160_000);

  /** A socket that a server accepted is connected. */
  const isLate = (row: Row, state: string) =>
    row.tooLate?.some((late) => late === (state === 'accepted' ? 'connected' : state));

  test.each(late)('%s: refuses it where it is too late, before any option is set', (name, row) => {
    for (const kind of ['tcp4', 'tcp6']) {
      for (const [state, byOption] of Object.entries(outcomes[kind] ?? {})) {
        const where = `${kind}/${state}/${name}`;
        if (!isSupported(name)) continue;
        if (kind === 'tcp4' && name === 'ipv6Only') {
          // The refusal of the kernel: an IPv4 socket does not have it.
          expect(byOption[name], where).toBe('ENOPROTOOPT');
          continue;
        }
        expect(byOption[name], where).toBe(isLate(row, state) ? 'ERR_SOCKET_TOO_LATE' : 'set');
        expect(calls.get(where)?.length ?? 0, where).toBe(isLate(row, state) ? 0 : 2);
      }
    }
    expect(Object.keys(outcomes.tcp4 ?? {}).sort()).toEqual(
      ['accepted', 'bound', 'connected', 'connecting', 'listening', 'new'].sort(),
    );
  });

  test('a UDP socket with a peer is treated as a bound one', () => {
    const { bound = {}, connected = {} } = outcomes.udp4 ?? {};
    expect(connected).toEqual(bound);
    expect(bound).toMatchObject({
      bindAddressNoPort: 'ERR_SOCKET_TOO_LATE',
      freeBind: 'ERR_SOCKET_TOO_LATE',
      localPortRange: 'ERR_SOCKET_TOO_LATE',
      reuseAddress: 'set',
      reusePort: 'set',
      // The refusal of the kernel, for options of TCP.
      synRetries: 'ENOPROTOOPT',
      fastOpenConnect: 'ENOPROTOOPT',
    });
  });
});

describe('the error', () => {
  const thrown = (call: () => void): unknown => {
    try {
      call();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };

  test('names the functions that set the option of this socket in time', async () => {
    await withPair(({ client, server, accepted }) => {
      const before = 'freeBind must be set before bind: use';
      const package_ = 'tuneSockets() or openSocket() of this package';
      expect(thrown(() => setOptions(server, { freeBind: true }))).toMatchObject({
        message: `${before} listen(), ${package_} (the socket is listening already)`,
        option: 'IP_FREEBIND',
      });
      for (const socket of [client, accepted]) {
        expect(thrown(() => setOptions(socket, { freeBind: true }))).toMatchObject({
          message: `${before} connect(), listen(), ${package_} (the socket is connected already)`,
        });
      }
      expect(thrown(() => setOptions(client, { fastOpen: 5 }))).toMatchObject({
        message: `fastOpen must be set before listen: use listen(), ${package_} (the socket is connected already)`,
      });
    });
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    expect(thrown(() => setOptions(socket, { freeBind: true }))).toMatchObject({
      message:
        'freeBind must be set before bind: use bind() or openSocket() of this package (the socket is bound already)',
    });
    socket.close();
  });
});
