// The table of `connections --watch`: its rows from sample to sample, and its keys.

import { describe, expect, test } from 'vitest';
import { connectionKey, LiveTable } from '../../lib/cli/view/live-table';
import type { Connection } from '../../lib/connections/connection';
import type { TcpInfo } from '../../lib/tcp-info/tcp-info';
import { everything, make, sampleWith, timer } from '../support/made-up-connections';

describe('LiveTable', () => {
  const view = () =>
    new LiveTable('connections', { unicode: true, platform: 'linux', hasKeys: true });
  const text = (watch: LiveTable, columns = 120, rows = 24) =>
    watch.frame(columns, rows).map((line) => line.text.trimEnd());
  const connection = (port: number, info: Partial<TcpInfo> = {}, more: Partial<Connection> = {}) =>
    make({ remotePort: port, cookie: String(port), ...more }, info);
  const ports = (watch: LiveTable) =>
    text(watch).flatMap((line) => /192\.0\.2\.7:(\d+) .*(?:off|probe)/.exec(line)?.[1] ?? []);

  test('puts suspects first, then new connections, and keeps the order of the others', () => {
    const watch = view();
    watch.update(sampleWith([connection(3), connection(1), connection(2)]));
    expect(ports(watch)).toEqual(['1', '2', '3']);
    watch.update(sampleWith([connection(4), connection(3), connection(2), connection(1)]));
    expect(ports(watch)).toEqual(['4', '1', '2', '3']);
    const suspect = connection(2, {}, timer('keepalive', 3));
    watch.update(sampleWith([connection(4), connection(3), suspect, connection(1)]));
    expect(ports(watch)).toEqual(['2', '4', '1', '3']);
  });

  test('keeps a bounded trend for each connection and forgets it with the connection', () => {
    const watch = view();
    const trend = () => text(watch)[3]?.match(/[▁-█]+/)?.[0];
    for (let n = 0; n < 20; n++) watch.update(sampleWith([connection(1, { rtt: 1 })]));
    expect(trend()).toBe('▁▁▁▁▁▁▁▁');
    watch.update(sampleWith([connection(1, { rtt: 2 })]));
    expect(trend()).toBe('▁▁▁▁▁▁▁█');
    // The same endpoints, but another connection.
    watch.update(sampleWith([connection(1, { rtt: 2 }, { cookie: '99' })]));
    expect(trend()).toBe('▁');
    watch.update(sampleWith([]));
    watch.update(sampleWith([connection(1, { rtt: 1 })]));
    expect(trend()).toBe('▁');
  });

  test('connectionKey is the cookie, or the endpoints if there is no cookie', () => {
    expect(connectionKey(make())).toBe('192.0.2.1:5432 192.0.2.7:40001');
    expect(connectionKey(make({ cookie: '5' }))).toBe('5');
  });

  test('never draws a frame larger than the screen', () => {
    const watch = view();
    const suspects = Array.from({ length: 50 }, (_, port) =>
      connection(port + 1, {}, timer('keepalive', 3)),
    );
    watch.update(sampleWith(suspects));
    for (const rows of [6, 10, 24, 100]) {
      const lines = text(watch, 80, rows);
      expect(lines).toHaveLength(rows);
      expect(lines[0]).toMatch(/^connections {2}03:04:05/);
      expect(lines.filter((line) => line.startsWith('! ESTABLISHED')).length).toBeGreaterThan(0);
    }
    // At most a quarter of the screen for warnings.
    const lines = text(watch, 80, 24);
    expect(lines.filter((line) => line.startsWith('! 192'))).toHaveLength(2);
    expect(lines.at(-1)).toBe('! and 19 more warnings');
  });

  test.each([40, 70])(
    'wraps sentences where rows are free: the reason is whole in %d columns',
    (columns) => {
      const watch = view();
      const address = '2001:db8:1234:5678:9abc:def0:1234:9999';
      const ends = { localAddress: address, remoteAddress: address };
      watch.update(sampleWith([connection(1, {}, { ...timer('keepalive', 3), ...ends })]));
      const sentence = text(watch, columns, 24).slice(4).join(' ');
      expect(sentence).toContain('the peer may be gone: 3 keepalive probes are unanswered');
    },
  );

  test('says what is left out after a sentence', () => {
    const watch = view();
    watch.update(sampleWith([]));
    expect(text(watch)[1]).not.toContain('.;');
  });

  const rows = (watch: LiveTable) => text(watch)[0]?.match(/rows (\S+) of/)?.[1];
  const withCursor = (watch: LiveTable) =>
    watch
      .frame(120, 24)
      .flatMap(({ text, style }) =>
        style === 'cursor' ? (/2\.7:(\d+)/.exec(text)?.[1] ?? []) : [],
      );

  test('moves the cursor no further than the first and last rows, and scrolls to it', () => {
    const watch = view();
    const all = Array.from({ length: 100 }, (_, port) => connection(port + 1));
    watch.update(sampleWith(all));
    expect(rows(watch)).toBe('1-21');
    expect(watch.press('x', 'x')).toBe(false);
    expect(watch.press('toString')).toBe(false);
    for (const [key, expected, port] of [
      ['k', '1-21', '1'],
      ['down', '1-21', '2'],
      ['pagedown', '3-23', '23'],
      ['end', '80-100', '100'],
      ['j', '80-100', '100'],
      ['up', '80-100', '99'],
      ['pageup', '78-98', '78'],
      ['home', '1-21', '1'],
    ] as const) {
      expect(watch.press(key, '')).toBe(true);
      expect([rows(watch), withCursor(watch)], key).toEqual([expected, [port]]);
    }
    watch.press('end');
    watch.update(sampleWith(all.slice(0, 30)));
    expect([rows(watch), withCursor(watch)]).toEqual(['10-30', ['30']]);
    watch.update(sampleWith(all.slice(0, 3)));
    expect([rows(watch), withCursor(watch)]).toEqual([undefined, ['3']]);
    watch.update(sampleWith([]));
    expect(withCursor(watch)).toEqual([]);
  });

  test('the cursor stays on its connection when rows come before it', () => {
    const watch = view();
    const three = [connection(1), connection(2), connection(3)];
    watch.update(sampleWith(three));
    watch.press('down');
    watch.update(sampleWith([...three, connection(9)]));
    expect(ports(watch)).toEqual(['9', '1', '2', '3']);
    expect(withCursor(watch)).toEqual(['2']);
  });

  /** Presses keys: a letter, which types itself, or a name. */
  const press = (watch: LiveTable, ...keys: readonly string[]) => {
    for (const key of keys) watch.press(key.toLowerCase(), key.length === 1 ? key : '');
  };
  const late = timer('keepalive', 3, 400);

  test('/ filters by text while it is typed; q is a letter then; Esc leaves it as it was', () => {
    const watch = view();
    watch.update(sampleWith([connection(11), connection(12), connection(13, {}, late)]));
    press(watch, '/', '1', '2');
    expect(text(watch)[0]).toBe('filter: 12_  Enter keeps it, Esc drops the change');
    expect(ports(watch)).toEqual(['12']);
    press(watch, 'backspace', 'backspace', 'h', 'A', 'l', 'F', '-');
    expect(ports(watch)).toEqual(['13']);
    press(watch, 'q');
    expect(ports(watch)).toEqual([]);
    press(watch, 'backspace', 'return');
    expect(text(watch)[0]).toMatch(/ {2}filter: hAlF- {2}/);
    expect(watch.narrow(everything).text).toBe('hAlF-');
    press(watch, '/', 'x', 'escape');
    expect(text(watch)[0]).toMatch(/ {2}filter: hAlF- {2}/);
    // Outside of the prompt, it clears the filter.
    press(watch, 'escape');
    expect(ports(watch)).toEqual(['13', '11', '12']);
    // No control characters.
    press(watch, '/', '\u001b', '\u0007', '\u009b');
    expect(text(watch)[0]).toMatch(/^filter: _/);
  });

  test('a pasted text is for the filter, and means no keys otherwise', () => {
    const watch = view();
    watch.update(sampleWith([connection(11), connection(12)]));
    expect(watch.paste('q!s/')).toBe(false);
    expect(text(watch)[0]).toMatch(/ q quits/);
    press(watch, '/');
    expect(watch.paste('2.7:12\n\u001b')).toBe(true);
    expect(text(watch)[0]).toMatch(/^filter: 2\.7:12_/);
    expect(ports(watch)).toEqual(['12']);
    press(watch, 'escape', 'return');
    expect(watch.paste('q')).toBe(false);
  });

  test('s goes through the columns and back to the default, S backwards', () => {
    const watch = view();
    const rtts = [5, 9, 7].map((rtt, index) => connection(index + 1, { rtt }));
    watch.update(sampleWith(rtts));
    press(watch, 's', 's');
    expect(text(watch)[0]).toMatch(/ {2}by rtt {2}/);
    expect(ports(watch)).toEqual(['2', '3', '1']);
    expect(watch.narrow(everything).sort).toBe('rtt');
    press(watch, 'S', 'S');
    expect(text(watch)[0]).not.toMatch(/ by /);
    for (let n = 0; n < 10; n++) press(watch, 's');
    expect(text(watch)[0]).not.toMatch(/ by /);
  });

  test('! shows only problems, p and space pause, ? shows help until any key', () => {
    const watch = view();
    watch.update(sampleWith([connection(1), connection(2, {}, late)]));
    press(watch, '!');
    expect(ports(watch)).toEqual(['2']);
    expect(watch.narrow(everything).problems).toBe('marked');
    press(watch, '!', 'p');
    expect([watch.isPaused, ports(watch)]).toEqual([true, ['2', '1']]);
    expect(text(watch)[0]).toMatch(/ PAUSED /);
    press(watch, 'space');
    expect(watch.isPaused).toBe(false);
    press(watch, '?');
    expect(text(watch).join('\n')).toMatch(/^ {2}s +sort by the next column/m);
    press(watch, 'x');
    expect(ports(watch)).toEqual(['2', '1']);
  });

  test('Enter opens a connection: its facts, problems and history; Esc and q go back', () => {
    const watch = view();
    watch.update(sampleWith([connection(1, { rtt: 5 }), connection(2)]));
    press(watch, 'return');
    expect(text(watch)).toEqual([
      '192.0.2.1:5432 - 192.0.2.7:1  ESTABLISHED',
      'peer answered  0.4 s ago',
      'round trip     5.00 ms, timeout 204 ms',
      'timer          off',
      'keepalive      off',
      'congestion     cubic',
      'keepalive is off: if the peer vanishes while nothing is sent, the program is not told',
      '',
      'Since it was opened (Esc goes back):',
      'nothing yet',
    ]);
    watch.update(sampleWith([connection(1, { probes: 1, bytesReceived: 9 }, late), connection(2)]));
    const opened = text(watch, 50);
    for (const line of opened) expect(line.length).toBeLessThanOrEqual(50);
    expect(opened.slice(-4)).toEqual([
      'Since it was opened (Esc goes back):',
      '03:04:05  9 bytes received',
      '03:04:05  keepalive probe 1 is unanswered, the',
      'peer has been silent for 0.4 s',
    ]);
    expect(opened).toContain('! the peer may be gone: 3 keepalive probes are');
    watch.update(sampleWith([connection(2)]));
    expect(text(watch).at(-1)).toBe(
      '03:04:05  the connection is gone, or is not selected any more',
    );
    expect(watch.press('q', 'q')).toBe(true);
    expect(ports(watch)).toEqual(['2']);
    // Now it is for the screen, which quits.
    expect(watch.press('q', 'q')).toBe(false);
  });
});
