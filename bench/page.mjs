// Writes docs/benchmarks.md and its plots from results that docs.mjs has saved.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { markdownTable, writeBlock } from '../scripts/marked-block.mjs';
import { lineChart } from './chart.mjs';
import { figuresWithoutRow, rowsWithoutFigure, sections } from './figures.mjs';

const allRows = new Map(sections.flatMap(({ rows }) => rows));

/** What docs.mjs has saved: { machine, nodes: { title: report }, sideBySide, series }. */
export function readResults(folder) {
  const read = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  const machine = read('machine');
  const reports = machine.nodes.map((version, index) => [`Node ${version}`, read(`node-${index}`)]);
  return {
    machine,
    nodes: Object.fromEntries(reports),
    sideBySide: read('side-by-side'),
    series: read('series'),
  };
}

/** `page` and `images` are paths. */
export function writePage({ page, images }, results) {
  const target = pathToFileURL(page).href;
  for (const [name, block] of Object.entries(blocksOf(results))) writeBlock(target, name, block);
  for (const [name, image] of Object.entries(imagesOf(results))) {
    writeFileSync(join(images, name), image);
  }
}

/** The text between the markers of the page, by their names. */
export function blocksOf({ machine, nodes, sideBySide }) {
  return {
    machine: machineText(machine),
    missed: missedText(nodes),
    figures: figureTables(nodes),
    'side-by-side': sideBySideTable(sideBySide),
  };
}

/** The plots, by the names of their files. */
export function imagesOf({ machine, nodes, series }) {
  const report = Object.values(nodes)[0];
  return {
    'benchmark-reads.svg': readsChart(series, machine),
    'benchmark-supervision.svg': supervisionChart(series, report, machine),
  };
}

function machineText({ cpu, processors, memory, kernel, nodes, date, commit, rounds, smoke }) {
  const lines = [
    `- Machine: ${cpu}, ${processors} processors, ${memory} GB of memory, Linux ${kernel}`,
    `- Node: ${nodes.join(' and ')}`,
    `- Date: ${date}, commit ${commit}`,
    `- Rounds: ${rounds}`,
  ];
  if (smoke) lines.push('- A smoke run, with few rounds and sockets: its numbers mean nothing');
  return lines.join('\n');
}

function missedText(nodes) {
  const reports = Object.values(nodes);
  const results = reports.flatMap((report) => Object.values(report));
  const budgets = results.filter(({ budget }) => budget !== null).length;
  const missed = results.filter(({ ok }) => !ok).length;
  const sentence = `${missed === 0 ? 'None' : missed} of ${budgets} budgets ${missed === 1 ? 'is' : 'are'} missed, both versions of Node counted.`;
  const names = [...allRows.keys()].filter((name) => reports.some((one) => !one[name].ok));
  if (names.length === 0) return sentence;
  const cell = (name, result) => (result.ok ? 'kept' : textsOf(name, result).value);
  const rows = names.map((name) => [
    `\`${name}\``,
    ...reports.map((report) => cell(name, report[name])),
    budgetOf(name, reports),
  ]);
  return `${sentence}\n\n${markdownTable([['Missed', ...Object.keys(nodes), 'Budget'], ...rows])}`;
}

function budgetOf(name, reports) {
  return textsOf(name, reports[0][name]).budget;
}

function figureTables(nodes) {
  for (const report of Object.values(nodes)) {
    const [figure] = figuresWithoutRow(report);
    if (figure !== undefined) throw new Error(`${figure}: no row in bench/figures.mjs`);
    const [row] = rowsWithoutFigure(report);
    if (row !== undefined) throw new Error(`${row}: no number was measured`);
  }
  const reports = Object.values(nodes);
  const head = ['Figure', ...Object.keys(nodes), 'Budget'];
  return sections
    .flatMap(({ title, rows }) => {
      const lines = rows.map(([name, row]) => [
        descriptionOf(name, row),
        ...reports.map((report) => cellOf(name, report[name])),
        unbroken(budgetOf(name, reports)),
      ]);
      return [`### ${title}`, markdownTable([head, ...lines])];
    })
    .join('\n\n');
}

function descriptionOf(name, { measures, comparedTo }) {
  const lines = [`**\`${name}\`**`, measures];
  if (comparedTo !== undefined) lines.push(`_compared to_ ${comparedTo}`);
  return lines.join('<br>');
}

function cellOf(name, result) {
  const { value, between, pair } = textsOf(name, result);
  return cellOfLines([`${value}${result.ok ? '' : ' **missed**'}`, between, pair]);
}

function cellOfLines(lines) {
  return lines
    .filter((line) => line !== '')
    .map(unbroken)
    .join('<br>');
}

/** A narrow column must not break the line. */
function unbroken(line) {
  return line.replaceAll(' ', '\u00a0');
}

/** What is written of a figure: its value, its quartiles, and both sides of the comparison. */
function textsOf(name, result) {
  const { ratio, quartiles, budget, better } = result;
  const unit = unitOf(name, result);
  const value = ratio ?? result.extra ?? result.ours;
  const limit = better === 'lower' ? '≤' : '≥';
  return {
    value: `${digits(value)} ${unit}`,
    between: quartiles ? `${digits(quartiles[0])} to ${digits(quartiles[1])}` : '',
    pair: pairOf(result, unit),
    budget: budget === null ? '' : `${limit} ${digits(budget)} ${unit}`,
  };
}

function unitOf(name, { ratio, better, unit }) {
  if (ratio !== undefined) return better === 'lower' ? '×' : '× faster';
  return allRows.get(name).unit ?? (unit === 'us' ? 'µs' : unit);
}

function pairOf({ ns, baselineNs, peerNs, ours, empty, beside = empty, extra }, unit) {
  if (ns !== undefined) return timesOf(ns, baselineNs ?? peerNs);
  if (beside === undefined) return '';
  return extra === undefined
    ? `compared: ${digits(beside)} ${unit}`
    : `${digits(ours)} and ${digits(beside)} ${unit}`;
}

/** Two times in nanoseconds, in a unit for both. */
function timesOf(ours, other) {
  const [divisor, unit] = Math.min(ours, other) < 10_000 ? [1, 'ns'] : [1_000, 'µs'];
  return `${whole(ours / divisor)} and ${whole(other / divisor)} ${unit}`;
}

function whole(number) {
  return Math.round(number).toLocaleString('en');
}

/** At most three digits, and no fraction from 100 on. */
function digits(number) {
  if (Number.isInteger(number) || Math.abs(number) >= 100) return whole(number);
  return number.toFixed(Math.abs(number) >= 10 ? 1 : 2);
}

const OPERATIONS = {
  set: 'Four options set',
  get: 'Four options read',
  tcpInfo: '`TCP_INFO` read',
};

function sideBySideTable({ programs, skipped, rounds }) {
  const rows = programs.map((program) => [
    program.name,
    ...Object.keys(OPERATIONS).map((operation) => {
      const result = program[operation];
      if (result === undefined) return '–';
      const between = result.quartiles.map(digits).join(' to ');
      return cellOfLines([digits(result.ratio), between, `${whole(result.ns)} ns`]);
    }),
  ]);
  const missing = skipped.map(({ name, skipped: reason }) => `Skipped: ${name}, ${reason}.`);
  const table = markdownTable([['Program', ...Object.values(OPERATIONS)], ...rows]);
  return [`${rounds} rounds.`, table, ...missing].join('\n\n');
}

function readsChart({ reads }, { nodes }) {
  const names = {
    readTcpInfos: 'readTcpInfos()',
    readTcpInfosAsync: 'readTcpInfosAsync()',
    listConnections: 'listConnections()',
    ss: 'ss -tinH',
  };
  return lineChart({
    title: `Reading the state of all sockets once, Node ${nodes[0]}`,
    xTitle: 'sockets',
    yTitle: 'milliseconds',
    lines: Object.entries(names).map(([key, name]) => ({
      name,
      points: reads.map((point) => [point.sockets, point[key]]),
    })),
  });
}

/** run.mjs has measured 10,000 and 100,000 connections. */
function supervisionChart({ supervision }, report, { nodes, smoke }) {
  const measured = supervision.map(({ sockets, percent }) => [sockets, percent * 10]);
  const fromRun = ['10k', '100k'].map((suffix) => {
    const { ours, budget } = report[`supervision${suffix}`];
    return { sockets: Number.parseInt(suffix, 10) * 1_000, ours: ours * 10, budget: budget * 10 };
  });
  const points = smoke
    ? measured
    : [...measured, ...fromRun.map(({ sockets, ours }) => [sockets, ours])];
  return lineChart({
    title: `Supervision of idle connections, timeout 20 s, Node ${nodes[0]}`,
    xTitle: 'supervised sockets',
    yTitle: 'ms of CPU time in a second',
    lines: [
      { name: 'supervision', points: points.sort(([a], [b]) => a - b) },
      {
        name: 'budget',
        points: fromRun.map(({ sockets, budget }) => [sockets, budget]),
        isDashed: true,
        color: '#57606a',
      },
    ],
  });
}
