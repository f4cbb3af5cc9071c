// What docs/dead-peers.md shows of the plans that setDeadPeerTimeout() follows: the drawings, and the
// table of chances. With --check it only compares.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { source } from './source.mjs';

const require = createRequire(import.meta.url);
const { planDeadPeerTimeout } = require('../dist/index.js');
const { timelinesOf } = await source(['dead-peer/timeline']);

const TIMEOUT = 20_000;
const SYSTEMS = { linux: 'Linux', darwin: 'macOS, FreeBSD' };
const ROWS = {
  idle: 'idle',
  busy: 'data in flight',
  worst: 'a write at the last moment',
};
const MARKS = {
  probe: { colour: '#2563eb', word: 'keepalive probe' },
  write: { colour: '#059669', word: 'write' },
  retransmission: { colour: '#d97706', word: 'retransmission' },
  end: { colour: '#dc2626', word: 'the socket fails' },
};

const WIDTH = 820;
const LEFT = 210;
const RIGHT = 80;
const ROW = 44;
const TOP = 70;

function draw(platform) {
  const plan = planDeadPeerTimeout(TIMEOUT, { platform });
  const timelines = timelinesOf(plan);
  const scale = (WIDTH - LEFT - RIGHT) / TIMEOUT;
  const x = (at) => Math.round((LEFT + at * scale) * 10) / 10;
  const rows = Object.entries(ROWS);
  const bottom = TOP + rows.length * ROW;
  const height = bottom + 70;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    `<title>${SYSTEMS[platform]}: what happens after the peer falls silent, with a dead-peer timeout of ${TIMEOUT / 1_000} s</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="28" font-size="15" fill="#111827">${SYSTEMS[platform]}: setDeadPeerTimeout(socket, ${TIMEOUT})</text>`,
  ];
  for (let at = 0; at <= TIMEOUT; at += 2_000) {
    lines.push(
      `<line x1="${x(at)}" y1="${TOP - 14}" x2="${x(at)}" y2="${bottom}" stroke="#e5e7eb"/>`,
      `<text x="${x(at)}" y="${bottom + 18}" text-anchor="middle" fill="#6b7280">${at / 1_000}${at === TIMEOUT ? ' s' : ''}</text>`,
    );
  }
  lines.push(
    `<line x1="${x(TIMEOUT)}" y1="${TOP - 14}" x2="${x(TIMEOUT)}" y2="${bottom}" stroke="#dc2626" stroke-dasharray="4 3"/>`,
    `<text x="${x(0)}" y="${TOP - 18}" fill="#6b7280">the peer falls silent</text>`,
    `<text x="${x(TIMEOUT)}" y="${TOP - 18}" text-anchor="middle" fill="#dc2626">promised</text>`,
  );
  rows.forEach(([name, words], index) => {
    const y = TOP + index * ROW + ROW / 2;
    const end = plan.bounds[name];
    lines.push(
      `<text x="16" y="${y + 4}" fill="#111827">${words}</text>`,
      `<line x1="${x(0)}" y1="${y}" x2="${x(end)}" y2="${y}" stroke="#9ca3af" stroke-width="2"/>`,
      ...timelines[name].flatMap((event) => mark(event, x(event.at), y)),
      `<text x="${x(end) + 12}" y="${y + 4}" fill="#dc2626">${Math.round(end / 10) / 100} s</text>`,
    );
  });
  let place = LEFT;
  for (const [what, { word }] of Object.entries(MARKS)) {
    lines.push(
      ...mark({ what }, place, bottom + 45),
      `<text x="${place + 12}" y="${bottom + 49}" fill="#374151">${word}</text>`,
    );
    place += 150;
  }
  return `${lines.join('\n')}\n</svg>\n`;
}

function mark({ what }, x, y) {
  const { colour } = MARKS[what] ?? {};
  if (colour === undefined) return [];
  if (what !== 'end') return [`<circle cx="${x}" cy="${y}" r="5" fill="${colour}"/>`];
  const arms = `M${x - 6} ${y - 6}L${x + 6} ${y + 6}M${x - 6} ${y + 6}L${x + 6} ${y - 6}`;
  return [`<path d="${arms}" stroke="${colour}" stroke-width="3"/>`];
}

const LOSS_RATES = [0.0001, 0.001, 0.01, 0.05];
const TIMEOUTS = [9_000, 12_000, 20_000, 30_000, 60_000, 300_000];

/** `1 in 270,000`, `3.1 %`: in two digits. Once in a hundred thousand years is never. */
function chance(share) {
  if (share >= 0.995) return 'certain';
  if (share < 1e-9) return 'none';
  return share >= 0.01
    ? `${Number((share * 100).toPrecision(2))} %`
    : `1 in ${Number((1 / share).toPrecision(2)).toLocaleString('en')}`;
}

function chances() {
  const rows = TIMEOUTS.map((timeout) => {
    const plans = LOSS_RATES.map((lossRate) =>
      planDeadPeerTimeout(timeout, { platform: 'linux', lossRate }),
    );
    const { keepAliveInitialDelay, keepAliveInterval } = plans[0].options;
    return [
      `${timeout / 1_000} s`,
      `${keepAliveInitialDelay / 1_000} s + ${plans[0].probes} x ${keepAliveInterval / 1_000} s`,
      ...plans.map((plan) => chance(plan.falseAlarmsPerHour)),
    ];
  });
  const head = [
    'timeout',
    'probes',
    ...LOSS_RATES.map((rate) => `${Number((rate * 100).toFixed(2))} % lost`),
  ];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const page = new URL('../docs/dead-peers.md', import.meta.url);
const markers = /(<!-- chances: begin -->)[\s\S]*(<!-- chances: end -->)/;
const text = readFileSync(page, 'utf8');
if (!markers.test(text)) throw new Error('docs/dead-peers.md has no place for the chances');
const wanted = {
  'dead-peers.md': text.replace(markers, `$1\n\n${chances()}\n\n$2`),
  ...Object.fromEntries(
    Object.keys(SYSTEMS).map((platform) => [`dead-peers-${platform}.svg`, draw(platform)]),
  ),
};
for (const [name, content] of Object.entries(wanted)) {
  const file = new URL(`../docs/${name}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(file, content);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== content) {
    console.error(`docs/${name} is not what the plan says: node scripts/dead-peer-docs.mjs`);
    process.exitCode = 1;
  }
}
