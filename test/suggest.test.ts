import { describe, expect, test } from 'vitest';
import { suggestionFor } from '../lib/suggest';

const COMMANDS = ['defaults', 'connections', 'plan', 'watch'];

describe('suggestionFor', () => {
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
    expect(suggestionFor(name, COMMANDS)).toBe(known);
  });

  test.each(['', 'x', 'toString', 'list', 'p', 'pl', 'connect', 'c'.repeat(100_000)])(
    'nothing is near %.20s',
    (name) => {
      expect(suggestionFor(name, COMMANDS)).toBeUndefined();
    },
  );

  test('takes the nearest, and of two equally near ones the first', () => {
    const known = ['keepAlive', 'keepAliveCount', 'keepAliveDelay'];
    expect(suggestionFor('keepAliveCoun', known)).toBe('keepAliveCount');
    expect(suggestionFor('tcp5', ['tcp4', 'tcp6'])).toBe('tcp4');
    expect(suggestionFor('tcp5', [])).toBeUndefined();
  });

  test('takes another word for the same option', () => {
    expect(suggestionFor('idle', ['initialDelay', 'interval'])).toBe('initialDelay');
    expect(suggestionFor('TCP_KEEPINTVL', ['initialDelay', 'interval'])).toBe('interval');
  });
});
