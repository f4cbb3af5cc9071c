import { describe, expect, test } from 'vitest';
import {
  getKernelTcpInfo,
  getOptions,
  listConnections,
  planDeadPeerTimeout,
  readTcpInfos,
  setKeepAlive,
  setOptions,
  tuneSockets,
  watchClosedConnections,
} from '../../dist/index.js';
import {
  type NumberRange,
  validateAbortSignal,
  validateArray,
  validateBoolean,
  validateFunction,
  validateNumber,
  validateOneOf,
  validateOptions,
  validateString,
} from '../../lib/core/validate';
import { AF_INET, changes, SOCK_STREAM, snapshot, withSocket } from '../support/reference-addon';

/** `'CODE message'` of what a call throws. */
function failure(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return `${code} ${message}`;
  }
  return 'nothing was thrown';
}

const TYPE = 'ERR_INVALID_ARG_TYPE The "x" argument must be';
const VALUE = 'ERR_INVALID_ARG_VALUE The "x" argument must be';
const RANGE = 'ERR_OUT_OF_RANGE The value of "x" is out of range. It must be';

describe('validateNumber', () => {
  test.each([
    [{}, 1.5],
    [{}, Number.POSITIVE_INFINITY],
    [{ min: 1, max: 3 }, 1],
    [{ min: 1, max: 3 }, 2.5],
    [{ min: 1, max: 3 }, 3],
    [{ above: 0 }, Number.MIN_VALUE],
    [{ integer: true, min: -3 }, -3],
  ] as [NumberRange, number][])('%j accepts %d and returns it', (range, value) => {
    expect(validateNumber(value, 'x', range)).toBe(value);
  });

  test.each([
    [{ min: 1, max: 3 }, 0.999, '>= 1 and <= 3. Received 0.999'],
    [{ min: 1, max: 3 }, 3.001, '>= 1 and <= 3. Received 3.001'],
    [{ min: 1 }, Number.NEGATIVE_INFINITY, '>= 1. Received -Infinity'],
    [{ above: 0, max: 9, milliseconds: true }, 0, '> 0 and <= 9 ms. Received 0'],
    [{}, Number.NaN, 'a number. Received NaN'],
    [{ integer: true }, 1.5, 'an integer. Received 1.5'],
    [{ integer: true }, Number.POSITIVE_INFINITY, 'an integer. Received Infinity'],
    [{ integer: true, min: 1, max: 3 }, 4, 'an integer >= 1 and <= 3. Received 4'],
    [{ integer: true, max: 3, reason: 'because' }, 1.5, 'an integer <= 3 (because). Received 1.5'],
  ] as [NumberRange, number, string][])(
    '%j rejects %d as out of range',
    (range, value, message) => {
      expect(failure(() => validateNumber(value, 'x', range))).toBe(`${RANGE} ${message}`);
      expect(() => validateNumber(value, 'x', range)).toThrow(RangeError);
    },
  );

  test.each([
    [{}, '5', "a number. Received type string ('5')"],
    [{ integer: true }, 5n, 'an integer. Received type bigint (5n)'],
    [{ min: 1, milliseconds: true }, null, 'a number of milliseconds. Received null'],
    [
      { integer: true, or: "'system'" },
      {},
      "an integer, or 'system'. Received an instance of Object",
    ],
  ] as [NumberRange, unknown, string][])('%j rejects another type: %o', (range, value, message) => {
    expect(failure(() => validateNumber(value, 'x', range))).toBe(`${TYPE} ${message}`);
    expect(() => validateNumber(value, 'x', range)).toThrow(TypeError);
  });
});

describe('validateOptions', () => {
  const validate = (value: unknown, path = 'options') =>
    validateOptions(value as { port?: number; host?: string }, path, ['port', 'host']);

  test('returns a copy with each known member', () => {
    const options = { port: 1 };
    const copy = validate(options);
    options.port = 2;
    expect(copy).toEqual({ port: 1 });
  });

  test('reads each own member once', () => {
    let reads = 0;
    const copy = validate({
      get port() {
        return ++reads;
      },
    });
    expect([copy.port, copy.port, reads]).toEqual([1, 1, 1]);
  });

  test.each([
    ['inherited', Object.create({ port: 1 })],
    ['not enumerable', Object.defineProperty({}, 'port', { value: 1 })],
  ])('rejects a member that is %s, rather than leave it out', (_, options) => {
    const message = 'The option "port" must be an own, enumerable property';
    expect(failure(() => validate(options))).toBe(`ERR_INVALID_ARG_VALUE ${message}`);
  });

  test('ignores what other code added to Object.prototype', () => {
    Object.defineProperty(Object.prototype, 'port', { value: 1, configurable: true });
    try {
      expect(validate({ host: 'x' } as never)).toEqual({ host: 'x' });
    } finally {
      Reflect.deleteProperty(Object.prototype, 'port');
    }
  });

  test('setOptions and listConnections reject inherited members', () => {
    const message = /must be an own, enumerable property/;
    expect(() => setOptions(0, Object.create({ noDelay: true }))).toThrow(message);
    expect(() => listConnections(Object.create({ state: 'LISTEN' }))).toThrow(message);
  });

  test('describes a value whose class cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(failure(() => validateBoolean(proxy, 'x'))).toMatch('ERR_INVALID_ARG_TYPE');
  });

  test.each([
    ['options', { prot: 1 }, 'unknown option "prot" (did you mean "port"?)'],
    ['options.client', { prot: 1 }, 'unknown option "client.prot" (did you mean "port"?)'],
    ['filter', { ip: 1 }, 'unknown option "filter.ip" (did you mean "host"?)'],
    ['options', { colour: undefined }, 'unknown option "colour" (known: port, host)'],
    ['options', { 'a"\n': 1 }, 'unknown option "a\\"\\n" (known: port, host)'],
  ])('%s: rejects an unknown member of %j', (path, value, message) => {
    expect(failure(() => validate(value, path))).toBe(`ERR_INVALID_ARG_VALUE ${message}`);
  });

  test.each([undefined, null, 5, 'port', [], new Map(), Promise.resolve(), () => {}])(
    'rejects %s, which holds no options',
    (value) => {
      expect(failure(() => validate(value, 'x'))).toMatch(
        `${TYPE} an object with any of port, host. Received `,
      );
    },
  );
});

describe('other checks', () => {
  test.each([
    ['a boolean', () => validateBoolean(1, 'x'), 'a boolean. Received type number (1)'],
    ['a string', () => validateString(1, 'x'), 'a string. Received type number (1)'],
    ['a name', () => validateString(null, 'x', 'a name'), 'a name. Received null'],
    ['a function', () => validateFunction({}, 'x'), 'a function. Received an instance of Object'],
    [
      'a word',
      () => validateOneOf(1, 'x', ['on', 'off']),
      "one of 'on', 'off'. Received type number (1)",
    ],
    [
      'an array',
      () => validateArray({ length: 1 }, 'x', 'an array of names'),
      'an array of names. Received an instance of Object',
    ],
    [
      'an AbortSignal',
      () => validateAbortSignal({ aborted: false }, 'x'),
      'an AbortSignal. Received an instance of Object',
    ],
    ['an AbortSignal', () => validateAbortSignal(null, 'x'), 'an AbortSignal. Received null'],
  ])('a value that is not %s is rejected by its type', (_, call, message) => {
    expect(failure(call)).toBe(`${TYPE} ${message}`);
    expect(call).toThrow(TypeError);
  });

  test('values of the right type are returned or accepted', () => {
    expect(validateBoolean(false, 'x')).toBe(false);
    expect(validateString('', 'x')).toBe('');
    expect(validateOneOf('off', 'x', ['on', 'off'])).toBe('off');
    validateFunction(() => {}, 'x');
    validateAbortSignal(new AbortController().signal, 'x');
  });

  test.each(['aborted', 'addEventListener', 'removeEventListener'])(
    'an object without %s is no AbortSignal',
    (name) => {
      const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };
      validateAbortSignal(signal, 'x');
      expect(failure(() => validateAbortSignal({ ...signal, [name]: undefined }, 'x'))).toMatch(
        `${TYPE} an AbortSignal.`,
      );
    },
  );

  test('a word that is close to an allowed one is suggested', () => {
    const allowed = "one of 'fail', 'tolerate'";
    const validate = (word: string) => validateOneOf(word, 'x', ['fail', 'tolerate']);
    expect(failure(() => validate('tolerat'))).toBe(
      `${VALUE} ${allowed} (did you mean 'tolerate'?). Received 'tolerat'`,
    );
    expect(failure(() => validate('kill'))).toBe(`${VALUE} ${allowed}. Received 'kill'`);
  });

  test('a value that is too long for a message is cut off', () => {
    const word = 'x'.repeat(10_000);
    expect(failure(() => validateOneOf(word, 'x', ['on'])).length).toBeLessThan(300);
  });

  test('an array is copied, and its length is limited', () => {
    const items = [1, 2];
    expect(validateArray(items, 'x', 'an array')).toEqual(items);
    expect(validateArray(items, 'x', 'an array')).not.toBe(items);
    expect(validateArray(Array(65_536), 'x', 'an array')).toHaveLength(65_536);
    expect(failure(() => validateArray(Array(65_537), 'x', 'an array'))).toBe(
      'ERR_OUT_OF_RANGE The value of "x.length" is out of range. It must be <= 65536. Received 65537',
    );
  });
});

describe('one wording for one mistake', () => {
  const options = { enable: true, initialDelay: 1_000, interval: 1_000, count: 1 };

  test('getOptions names the place of a wrong name', () => {
    expect(failure(() => getOptions(0, ['noDelay', 5 as never]))).toMatch(
      'ERR_INVALID_ARG_TYPE The "names[1]" argument must be the name of an option. Received type number (5)',
    );
  });

  test.each([
    [
      'deadPeerTimout',
      { client: { deadPeerTimout: 1 } },
      'unknown option "client.deadPeerTimout" (did you mean "deadPeerTimeout"?)',
    ],
    [
      'minProbs',
      { server: { minProbs: 1 } },
      'unknown option "server.minProbs" (did you mean "minProbes"?)',
    ],
    [
      'usrTimeout',
      { server: { usrTimeout: 1 } },
      'unknown option "server.usrTimeout" (did you mean "userTimeout"?)',
    ],
    [
      'TCP_KEEPCNT',
      { client: { TCP_KEEPCNT: 1 } },
      'unknown option "client.TCP_KEEPCNT" (did you mean "keepAliveCount"?)',
    ],
    ['mtu', { client: { mtu: 1 } }, 'The option "client.mtu" is read-only'],
  ])('tuneSockets names the path of %s', (_, tuning, message) => {
    expect(failure(() => tuneSockets(tuning as never))).toBe(`ERR_INVALID_ARG_VALUE ${message}`);
  });

  test.each([
    ['options.client.deadPeerTimeout', { client: { deadPeerTimeout: -1 } }],
    ['options.client.deadPeerTimeout', { client: { deadPeerTimeout: 1_000 } }],
    ['options.server.minProbes', { server: { minProbes: 1.5 } }],
    ['options.client.noDelay', { client: { noDelay: 1 } }],
    ['options.server.linger.timeout', { server: { linger: { enable: true, timeout: -1 } } }],
    ['options.client.zeroWindow', { client: { zeroWindow: 'fial' } }],
  ])('tuneSockets names %s', (path, tuning) => {
    expect(failure(() => tuneSockets(tuning as never))).toContain(`"${path}"`);
  });

  test.each<[string, (fd: number) => unknown]>([
    ['keepAliveCount', (fd) => setOptions(fd, { keepAliveCount: 1.5 })],
    ['count', (fd) => setKeepAlive(fd, { ...options, count: 1.5 })],
    ['minProbes', () => planDeadPeerTimeout(20_000, { minProbes: 1.5 })],
    ['limit', () => watchClosedConnections({ limit: 1.5 })],
  ])('a fraction for %s: an integer, with its range', (name, call) => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      expect(failure(() => call(fd))).toMatch(
        new RegExp(
          `^ERR_OUT_OF_RANGE The value of "options.${name}" is out of range. It must be an integer >= 1 and <= \\d+( \\(.*\\))?. Received 1.5$`,
        ),
      );
    });
  });

  test.each<[string, (fd: number) => unknown]>([
    ['options.userTimeout', (fd) => setOptions(fd, { userTimeout: '1' as never })],
    ['options.interval', (fd) => setKeepAlive(fd, { ...options, interval: '1' as never })],
    ['timeout', () => planDeadPeerTimeout('1' as never)],
    [
      'options.retransmissionTimeout',
      () => planDeadPeerTimeout(20_000, { retransmissionTimeout: '1' as never }),
    ],
  ])('a string for %s: a number of milliseconds', (path, call) => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      expect(failure(() => call(fd))).toMatch(
        `ERR_INVALID_ARG_TYPE The "${path}" argument must be a number of milliseconds`,
      );
    });
  });

  test.each<[string, (fd: number) => unknown]>([
    [
      'unknown option "detail" (did you mean "details"?)',
      (fd) => getKernelTcpInfo(fd, { detail: true } as never),
    ],
    [
      'unknown option "filter.prot" (did you mean "port"?)',
      () => listConnections({ prot: 1 } as never),
    ],
    [
      'unknown option "filter.prot" (did you mean "port"?)',
      () => watchClosedConnections({ filter: { prot: 1 } as never }),
    ],
    [
      'unknown option "noDelai" (did you mean "noDelay"?)',
      (fd) => setOptions(fd, { noDelai: true } as never),
    ],
    [
      'unknown option "noDelai" (did you mean "noDelay"?)',
      (fd) => getOptions(fd, ['noDelai' as never]),
    ],
  ])('%s', (message, call) => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      expect(failure(() => call(fd))).toBe(`ERR_INVALID_ARG_VALUE ${message}`);
    });
  });

  test('readTcpInfos suggests the name of a field', () => {
    expect(failure(() => readTcpInfos([], ['rrt' as never]))).toMatch(
      /^ERR_INVALID_ARG_VALUE .*"fields\[0\]".* must be one of 'state', .* \(did you mean 'rtt'\?\)/,
    );
  });

  test("Node's own form of setKeepAlive, with the delay as an argument, is rejected", () => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      const before = snapshot(fd);
      const call = setKeepAlive as (fd: number, enable: boolean, delay: number) => void;
      expect(failure(() => call(fd, true, 30_000))).toBe(
        'ERR_INVALID_ARG_VALUE The "initialDelay" argument must be a member of the options: setKeepAlive(socket, { enable: true, initialDelay: 30_000 }). Received 30000',
      );
      expect(changes(fd, before)).toEqual([]);
    });
  });

  test('the error of a timeout that is too small has the smallest one as data', () => {
    const plan = (timeout: number) => () => planDeadPeerTimeout(timeout, { platform: 'linux' });
    let error: Error | undefined;
    try {
      plan(3_999)();
    } catch (thrown) {
      error = thrown as Error;
    }
    const { smallestTimeout, reason } = error as Error & {
      smallestTimeout: number;
      reason: string;
    };
    expect(reason).toBe(
      "3 unanswered probes, and the kernel's unit of keepalive times is one second",
    );
    expect(error?.message).toBe(
      `The value of "timeout" is out of range. It must be >= ${smallestTimeout} ms (${reason}). Received 3999`,
    );
    expect(plan(smallestTimeout)).not.toThrow();
    expect(plan(smallestTimeout - 1)).toThrow(RangeError);
  });
});
