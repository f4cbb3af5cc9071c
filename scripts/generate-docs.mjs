// Writes the parts of docs/ that follow from the code. `npm run format` runs it after
// a change of the catalogue or of the plans; `npm run check` fails if somebody forgot to.
//
//   node scripts/generate-docs.mjs           writes the pages
//   node scripts/generate-docs.mjs --check   fails if a page differs from what it would write

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { markdownTable, readBlock, writeBlock } from './marked-block.mjs';
import { kernelNames, optionDocs, valueKind } from './option-docs.mjs';
import { source } from './source.mjs';

const { isSupported, planDeadPeerTimeout } = createRequire(import.meta.url)('../dist/index.js');
const { rows } = await source(['catalogue/catalogue']);

const hasTimeoutMax = process.platform !== 'linux' || isSupported('retransmissionTimeoutMax');

const BLOCKS = [
  { page: 'docs/options.md', name: 'options', content: optionTable },
  { page: 'docs/dead-peers.md', name: 'plan-linux', content: () => drawnPlan('linux') },
  { page: 'docs/dead-peers.md', name: 'plan-darwin', content: () => drawnPlan('darwin') },
  { page: 'docs/dead-peers.md', name: 'chances', content: idleTable },
  { page: 'docs/dead-peers.md', name: 'chances-writing', content: writingTable },
];

// The table of options: names and kernel names from the catalogue's rows, a sentence from their JSDoc.

function optionTable() {
  const docs = optionDocs();
  return markdownTable([
    ['Option', 'Value', 'Linux', 'macOS', 'Windows', 'FreeBSD'],
    ...Object.entries(rows()).map(([name, row]) => [
      `**\`${name}\`**<br>${docs.get(name).summary}`,
      valueKind(row),
      ...[row.linux, row.darwin, row.win32, row.freebsd].map(kernelNames),
    ]),
  ]);
}

/** What the command line prints, in the 80 columns of an output that is no terminal. */
function drawnPlan(platform) {
  const words = ['plan', '20s', '--platform', platform];
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const output = execFileSync(process.execPath, [main, ...words], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  return `\`\`\`text\n$ npx socket-options ${words.join(' ')}\n${output.trimEnd()}\n\`\`\``;
}

const LOSS_RATES = [0.0001, 0.001, 0.01, 0.05];
const TIMEOUTS = [4_000, 5_000, 9_000, 12_000, 20_000, 30_000, 60_000, 300_000];

/** How often a living, idle peer is taken for dead, by timeout and share of lost packets. */
function idleTable() {
  return falseAlarmTable('falseAlarmsPerHour', ['probes'], ({ options, probes }) => [
    `${options.keepAliveInitialDelay / 1_000} s + ${probes} x ${options.keepAliveInterval / 1_000} s`,
  ]);
}

/** The same while the program writes. */
function writingTable() {
  return falseAlarmTable('falseAlarmsPerHourWriting', [], () => []);
}

function falseAlarmTable(chanceName, head, cellsOf) {
  const losses = LOSS_RATES.map((rate) => `${Number((rate * 100).toFixed(2))} % lost`);
  return markdownTable([
    ['timeout', ...head, ...losses],
    ...TIMEOUTS.map((timeout) => {
      const plans = LOSS_RATES.map((lossRate) =>
        planDeadPeerTimeout(timeout, { platform: 'linux', lossRate }),
      );
      const chances = plans.map((plan) => chance(plan[chanceName]));
      return [`${timeout / 1_000} s`, ...cellsOf(plans[0]), ...chances];
    }),
  ]);
}

/** `1 in 270,000`, `3.1 %`: in two digits. Once in a hundred thousand years is never. */
function chance(share) {
  if (share >= 0.995) return 'certain';
  if (share < 1e-9) return 'none';
  return share >= 0.01
    ? `${Number((share * 100).toPrecision(2))} %`
    : `1 in ${Number((1 / share).toPrecision(2)).toLocaleString('en')}`;
}

for (const { page, name, content } of BLOCKS) {
  // Plans for Linux have other values before Linux 6.15.
  if (name === 'plan-linux' && !hasTimeoutMax) continue;
  const block = content();
  if (!process.argv.includes('--check')) writeBlock(page, name, block);
  else if (readBlock(page, name) !== block) {
    console.error(`${page}: the block "${name}" does not follow from the code: run npm run format`);
    process.exitCode = 1;
  }
}
