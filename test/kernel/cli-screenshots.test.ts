// The pictures in the docs are what a real terminal shows. WRITE_DOCS=1 draws them again.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { toSvg } from '../support/screenshot';
import { faked, needsTmux, Tmux } from '../support/terminal';

beforeEach(needsTmux);

const COLUMNS = 110;

test.each([
  ['connections', []],
  ['connections-problems', ['--problems']],
  ['connections-by-peer', ['--group-by', 'peer']],
])('docs/images/%s.svg', async (name, options) => {
  const tmux = await Tmux.start(COLUMNS, 30);
  try {
    await tmux.enter(faked('mixed', ...options));
    await tmux.until((screen) => /^prompt\$ $/m.test(screen.slice(screen.indexOf('PEER'))));
    const lines = (await tmux.styled()).split('\n');
    // The command of the test, in as many lines as it takes, is another one for the reader.
    const first = lines.findIndex((line) => line.includes('PEER'));
    const last = lines.findLastIndex((line) => line.includes('prompt$'));
    const command = `$ socket-options ${['connections', ...options].join(' ')}`;
    const picture = toSvg([command, ...lines.slice(first, last)].join('\n'), COLUMNS);
    const path = join(__dirname, `../../docs/images/${name}.svg`);
    if (process.env.WRITE_DOCS) {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, picture);
    }
    expect(readFileSync(path, 'utf8')).toBe(picture);
  } finally {
    await tmux.end();
  }
});
