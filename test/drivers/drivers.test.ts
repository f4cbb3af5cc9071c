// The drivers that people use, with real servers that fall silent: with tuneSockets and nothing else, and
// without it. WRITE_DOCS=1 writes the table of docs/drivers.md.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeTable } from '../support/docs';
import { needsNamespace } from '../support/namespace';

interface Result {
  readonly name: string;
  /** `waits`: a request was pending; `writes`: one is made after the server fell silent. */
  readonly manner: 'waits' | 'writes';
  /** When its socket closed, in ms after that. */
  readonly closed: number | null;
  /** When the request failed, or the driver said so by itself. */
  readonly told: number | null;
  readonly how: string | null;
}

interface Report {
  readonly versions: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly cap: number;
  readonly timeout: number;
  readonly tuned: readonly Result[];
  readonly plain: readonly Result[];
}

/** Of the kernel's timers. */
const SLACK = 250;

const DRIVERS = [
  'pg',
  'postgres.js',
  'ioredis',
  'redis',
  'mysql2',
  'mqtt',
  'undici',
  'fetch',
  'http.Agent',
  'http2',
  '@grpc/grpc-js',
  'ws',
];

describe('drivers whose server falls silent', () => {
  beforeEach(needsNamespace);

  let report: Report;
  beforeAll(async () => {
    const stage = ['--net', '--mount', process.execPath, join(__dirname, 'stage.mjs')];
    const { stdout } = await promisify(execFile)('unshare', stage, {
      timeout: 150_000,
      killSignal: 'SIGKILL',
    });
    report = JSON.parse(stdout) as Report;
  });
  const of = (results: readonly Result[], name: string, manner: string) =>
    results.find((one) => one.name === name && one.manner === manner) as Result;

  test.each(DRIVERS)('%s, tuned: fails within the timeout, and says so', (name) => {
    for (const manner of ['waits', 'writes']) {
      const { closed, told, how } = of(report.tuned, name, manner);
      expect(closed, manner).toBeLessThanOrEqual(report.timeout + SLACK);
      expect(told, manner).toBeLessThanOrEqual(report.timeout + SLACK);
      expect(how, manner).not.toBe('answered');
    }
  });

  test('without it most are not told within three times as long', () => {
    const unaware = report.plain.filter(({ told }) => told === null || told > report.timeout * 2);
    expect(report.plain).toHaveLength(2 * DRIVERS.length);
    expect(unaware.length).toBeGreaterThan(DRIVERS.length);
  });

  test('the table', () => {
    const { versions, dependencies, cap, tuned, plain } = report;
    const server: Readonly<Record<string, string>> = {
      pg: 'PostgreSQL',
      'postgres.js': 'PostgreSQL',
      ioredis: 'Redis',
      redis: 'Redis',
      mysql2: 'MariaDB',
      mqtt: 'Mosquitto',
    };
    const seconds = ({ told }: Result) =>
      told === null ? `> ${cap / 1_000}` : (told / 1_000).toFixed(1);
    writeTable(
      'docs/drivers.md',
      'measured',
      [
        'driver',
        'server',
        'waiting, without',
        'writing, without',
        'waiting, tuned',
        'writing, tuned',
      ],
      DRIVERS.map((name) => {
        const version =
          dependencies[name === 'postgres.js' ? 'postgres' : name] ?? `Node ${process.version}`;
        const behind = server[name];
        return [
          `${name} ${version}`,
          behind === undefined ? 'own' : `${behind} ${versions[behind]}`,
          seconds(of(plain, name, 'waits')),
          seconds(of(plain, name, 'writes')),
          seconds(of(tuned, name, 'waits')),
          seconds(of(tuned, name, 'writes')),
        ];
      }),
    );
  });
});
