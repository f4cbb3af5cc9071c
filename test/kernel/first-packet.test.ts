// Which options change the SYN of a socket, or its repetition: the catalogue against packets on the wire.

import { beforeAll, beforeEach, expect, test } from 'vitest';
import { type Row, rows } from '../../lib/catalogue/catalogue';
import { commandInNamespace, needsNamespace, withoutNamespace } from '../support/namespace';
import { onLinux } from '../support/platform';

/** Options that can be set at any time. Those with `before` are in too-late.test.ts. */
const anytime = Object.entries(rows()).filter(
  ([, row]) => row.linux && !row.linux.access && !row.access && !row.before,
);

/** Whether the SYN differs, by option; `null` for an option that this kernel does not have. */
let differs: Record<string, boolean | null>;

beforeEach((context) => {
  onLinux('packets in a network namespace')(context);
  needsNamespace(context);
});
beforeAll(async () => {
  if (withoutNamespace !== undefined) return;
  const fixture = `${__dirname}/../fixtures/first-packet.py`;
  differs = JSON.parse((await commandInNamespace(['python3', fixture])).stdout);
}, 60_000);

test('there is an experiment for each option that can be set at any time', () => {
  expect(Object.keys(differs).sort()).toEqual(anytime.map(([name]) => name).sort());
});

test.for<[string, Row]>(anytime)(
  '%s: the catalogue is right about the SYN',
  ([name, row], { skip }) => {
    skip(differs[name] === null, 'this kernel does not have the option');
    expect(differs[name]).toBe(row.firstPacket === true);
  },
);
