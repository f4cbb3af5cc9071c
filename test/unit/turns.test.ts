// In which order looks take their turns.

import { expect, test } from 'vitest';
import { Turns } from '../../lib/dead-peer/supervision/turns';

test('looks at silent peers overtake the others, and the oldest come first', () => {
  const turns = new Turns<string>();
  for (const name of ['a', 'b', 'c']) turns.add(name, false);
  for (const name of ['silent 1', 'silent 2', 'silent 3']) turns.add(name, true);

  expect(turns.take(2)).toEqual(['silent 1', 'silent 2']);
  turns.add('silent 4', true);
  expect(turns.take(3)).toEqual(['silent 3', 'silent 4', 'a']);
  expect(turns.length).toBe(2);
  turns.add('d', false);
  expect(turns.take(9)).toEqual(['b', 'c', 'd']);
  expect(turns.length).toBe(0);
  expect(turns.take(9)).toEqual([]);
});
