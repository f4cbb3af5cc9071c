// docs/benchmarks.md follows from the saved results of the benchmark, and every figure has a description.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

const root = join(__dirname, '../..');
const results = join(root, 'bench/results');
const REWRITE = 'run: node bench/docs.mjs --from bench/results';

type Point = [number, number];
interface Line {
  name: string;
  points: Point[];
}

let figuresWithoutRow: (report: object) => string[];
let rowsWithoutFigure: (report: object) => string[];
let lineChart: (chart: { title: string; xTitle: string; yTitle: string; lines: Line[] }) => string;
let page: {
  readResults: (folder: string) => unknown;
  blocksOf: (results: unknown) => Record<string, string>;
  imagesOf: (results: unknown) => Record<string, string>;
};
let readBlock: (page: string, name: string) => string;

beforeAll(async () => {
  ({ figuresWithoutRow, rowsWithoutFigure } = await import(join(root, 'bench/figures.mjs')));
  ({ lineChart } = await import(join(root, 'bench/chart.mjs')));
  ({ readBlock } = await import(join(root, 'scripts/marked-block.mjs')));
  page = await import(join(root, 'bench/page.mjs'));
});

test('names a figure that has no row', () => {
  expect(figuresWithoutRow({ setKeepAlive: {}, newFigure: {} })).toEqual(['newFigure']);
});

test('names a row without a number', () => {
  expect(rowsWithoutFigure({})).toContain('setKeepAlive');
  expect(rowsWithoutFigure({ setKeepAlive: { ratio: Number.NaN } })).toContain('setKeepAlive');
  expect(rowsWithoutFigure({ setKeepAlive: { ratio: 1 } })).not.toContain('setKeepAlive');
});

test.each(readdirSync(results).filter((file) => file.startsWith('node-')))(
  'the figures of %s are those of bench/figures.mjs',
  (file) => {
    const report = JSON.parse(readFileSync(join(results, file), 'utf8'));
    expect(figuresWithoutRow(report)).toEqual([]);
    expect(rowsWithoutFigure(report)).toEqual([]);
  },
);

test('the page and its plots follow from the saved results', () => {
  const saved = page.readResults(results);
  for (const [name, block] of Object.entries(page.blocksOf(saved))) {
    expect(readBlock('docs/benchmarks.md', name), REWRITE).toBe(block);
  }
  for (const [name, image] of Object.entries(page.imagesOf(saved))) {
    const file = readFileSync(join(root, 'docs/images', name), 'utf8');
    expect(file === image, `${name}: ${REWRITE}`).toBe(true);
  }
});

describe('lineChart', () => {
  const draw = (lines: Line[]) => lineChart({ title: 'a < b', xTitle: 'x', yTitle: 'y', lines });
  const labelsOf = (svg: string) =>
    [...svg.matchAll(/y="([\d.]+)" fill="#\w+" font-size="13".*?>(\w+)</g)].map(
      ([, y, name]) => [name, Number(y)] as const,
    );

  test('leaves out points that a logarithm does not have', () => {
    const points: Point[] = [
      [1, -2],
      [10, 0],
      [100, 5],
      [1_000, 50],
    ];
    const svg = draw([{ name: 'one', points }]);
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg).not.toContain('NaN');
    expect(svg).toContain('a &lt; b');
  });

  test('moves the names of lines that end at the same place apart', () => {
    const points: Point[] = [
      [1, 1],
      [10, 10],
    ];
    const labels = labelsOf(draw(['one', 'two', 'three'].map((name) => ({ name, points }))));
    const places = labels.map(([, y]) => y);
    expect(labels.map(([name]) => name)).toEqual(['one', 'two', 'three']);
    expect((places[1] as number) - (places[0] as number)).toBeGreaterThanOrEqual(13);
    expect((places[2] as number) - (places[1] as number)).toBeGreaterThanOrEqual(13);
  });
});
