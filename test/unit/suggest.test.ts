import { describe, expect, test } from 'vitest';
import { suggest } from '../../lib/core/suggest';

const COMMANDS = ['defaults', 'connections', 'plan', 'watch'];

describe('suggest', () => {
  test.each([
    ['conections', 'connections'],
    ['connnections', 'connections'],
    ['connectoins', 'connections'],
    ['Connection', 'connections'],
    ['defualts', 'defaults'],
    ['pln', 'plan'],
    ['wacth', 'watch'],
    ['WATCH', 'watch'],
  ])('%s is near %s', (name, known) => {
    expect(suggest(name, COMMANDS)).toBe(known);
  });

  test.each(['', 'x', 'toString', 'list', 'p', 'pl', 'connect', 'c'.repeat(100_000)])(
    'nothing is near %.20s',
    (name) => {
      expect(suggest(name, COMMANDS)).toBeUndefined();
    },
  );

  test('takes the nearest, and of two equally near ones the first', () => {
    const known = ['keepAlive', 'keepAliveCount', 'keepAliveDelay'];
    expect(suggest('keepAliveCoun', known)).toBe('keepAliveCount');
    expect(suggest('tcp5', ['tcp4', 'tcp6'])).toBe('tcp4');
    expect(suggest('tcp5', [])).toBeUndefined();
  });

  test('takes another word for the same option', () => {
    expect(suggest('idle', ['initialDelay', 'interval'])).toBe('initialDelay');
    expect(suggest('TCP_KEEPINTVL', ['initialDelay', 'interval'])).toBe('interval');
  });
});
