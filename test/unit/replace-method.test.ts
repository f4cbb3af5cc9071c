// replaceMethod(): a method is put back in whatever order its replacements end, and functions of others stay.

import { Server, Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { tuneSockets } from '../../dist';
import { TcpMetrics } from '../../dist/metrics';
import { replaceMethod } from '../../lib/core/replace-method';

class Base {
  say(): string[] {
    return ['original'];
  }
}

/** A class that has the method itself, or inherits it. */
function newClass(isOwn: boolean) {
  class Derived extends Base {}
  if (isOwn) Object.defineProperty(Derived.prototype, 'say', describeSay(Base.prototype));
  return Derived.prototype;
}

const describeSay = (prototype: object) =>
  Object.getOwnPropertyDescriptor(prototype, 'say') as PropertyDescriptor;

/** Replaces the method with one that adds a name to what it returns while it is active. */
function add(prototype: object, name: string): () => void {
  return replaceMethod(prototype, 'say', (state) => {
    return function (this: unknown, ...args) {
      const said = Reflect.apply(state.original(), this, args) as string[];
      return state.isActive ? [...said, name] : said;
    };
  });
}

const ORDERS = [
  ['a', 'b', 'c'],
  ['a', 'c', 'b'],
  ['b', 'a', 'c'],
  ['b', 'c', 'a'],
  ['c', 'a', 'b'],
  ['c', 'b', 'a'],
] as const;

describe.each([true, false])('a method of the class itself: %j', (isOwn) => {
  test.each(ORDERS)('is put back when its replacements end in the order %s %s %s', (...order) => {
    const prototype = newClass(isOwn);
    const before = Object.getOwnPropertyDescriptor(prototype, 'say');
    const ends = { a: add(prototype, 'a'), b: add(prototype, 'b'), c: add(prototype, 'c') };
    const left = ['a', 'b', 'c'];
    for (const name of order) {
      expect(prototype.say()).toEqual(['original', ...left]);
      ends[name]();
      left.splice(left.indexOf(name), 1);
    }
    expect(Object.getOwnPropertyDescriptor(prototype, 'say')).toEqual(before);
  });

  test('keeps a function of somebody else, and does not grow below or above it', () => {
    const prototype = newClass(isOwn);
    const endFirst = add(prototype, 'first');
    const { say } = prototype;
    const foreign = function (this: Base) {
      return [...say.call(this), 'foreign'];
    };
    Object.defineProperty(prototype, 'say', { ...describeSay(Base.prototype), value: foreign });
    const endSecond = add(prototype, 'second');
    expect(prototype.say()).toEqual(['original', 'first', 'foreign', 'second']);
    endFirst();
    expect(prototype.say()).toEqual(['original', 'foreign', 'second']);
    endSecond();
    for (let i = 0; i < 100; i++) {
      const end = add(prototype, 'third');
      expect(prototype.say()).toEqual(['original', 'foreign', 'third']);
      end();
    }
    expect(prototype.say).toBe(foreign);
  });

  test('loses a replacement that ended below a function of somebody else, once that one is gone', () => {
    const prototype = newClass(isOwn);
    const before = Object.getOwnPropertyDescriptor(prototype, 'say');
    const end = add(prototype, 'first');
    const replaced = describeSay(prototype);
    Object.defineProperty(prototype, 'say', { ...replaced, value: () => ['foreign'] });
    end();
    Object.defineProperty(prototype, 'say', replaced);
    add(prototype, 'second')();
    expect(Object.getOwnPropertyDescriptor(prototype, 'say')).toEqual(before);
  });
});

test('works with a second copy of this package', async () => {
  vi.resetModules();
  const copy = await import('../../lib/core/replace-method.js');
  expect(copy.replaceMethod).not.toBe(replaceMethod);
  const prototype = newClass(false);
  const end = copy.replaceMethod(prototype, 'say', (state) => {
    return function (this: unknown, ...args) {
      return Reflect.apply(state.original(), this, args);
    };
  });
  const endSecond = add(prototype, 'second');
  end();
  endSecond();
  expect(Object.hasOwn(prototype, 'say')).toBe(false);
});

describe('tuneSockets() and TcpMetrics', () => {
  const methods = () =>
    [Socket.prototype, Server.prototype].flatMap((prototype) =>
      ['emit', 'connect', 'ref', 'listen'].map((name) =>
        Object.getOwnPropertyDescriptor(prototype, name),
      ),
    );
  const tune = () => tuneSockets({ client: { deadPeerTimeout: 20_000 } });
  const measure = () => new TcpMetrics({ filter: () => false });

  test.each([
    ['tuneSockets() twice', tune, tune],
    ['TcpMetrics twice', measure, measure],
    ['tuneSockets(), then TcpMetrics', tune, measure],
    ['TcpMetrics, then tuneSockets()', measure, tune],
  ])(
    '%s, closed in the order of opening 20 000 times, put everything back',
    (_what, ...openers) => {
      const before = methods();
      let previous = openers[0]();
      for (let i = 1; i <= 20_000; i++) {
        const next = (openers[i % 2] ?? tune)();
        previous.close();
        previous = next;
      }
      previous.close();
      expect(methods()).toEqual(before);
    },
  );
});
