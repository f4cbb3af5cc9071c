// Starts Debian's Prometheus, and asks it.

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const ADDRESS = '127.0.0.1:9090';

/** Starts it, with the alerts of examples/prometheus in quick time: seconds instead of minutes. */
export async function startPrometheus(target) {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-prometheus-'));
  const alerts = readFileSync(
    new URL('../../../examples/prometheus/alerts.yml', import.meta.url),
    'utf8',
  )
    .replaceAll(/for: \d+m/g, 'for: 2s')
    .replaceAll('[5m]', '[10s]');
  writeFileSync(join(folder, 'alerts.yml'), alerts);
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['alerts.yml'],
      scrape_configs: [{ job_name: 'node', static_configs: [{ targets: [target] }] }],
    }),
  );
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${ADDRESS}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  // Also if the program fails: its test waits until nobody has its stderr any more.
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const stop = async () => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };
  await until('Prometheus is ready', async () => (await get('/-/ready')) !== undefined);
  return { query, alerts: firing, picture, stop };
}

/** Returns the values of a query by one label. */
async function query(expression, label = 'peer') {
  const { data } = await get(`/api/v1/query?query=${encodeURIComponent(expression)}`, true);
  return Object.fromEntries(
    data.result.map(({ metric, value }) => [metric[label] ?? '', Number(value[1])]),
  );
}

/** Returns the alerts that fire: `TcpCloseWaitGrows closing`. */
async function firing() {
  const { data } = await get('/api/v1/alerts', true);
  const names = data.alerts
    .filter(({ state }) => state === 'firing')
    .map(({ labels }) => `${labels.alertname} ${labels.peer ?? labels.callback}`);
  return names.sort();
}

/** Writes what a browser, Debian's Chromium, shows of a page of Prometheus. */
async function picture(path, file, height) {
  await promisify(execFile)('chromium', [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
    ...[`--window-size=1100,${height}`, '--virtual-time-budget=10000'],
    ...[`--screenshot=${file}`, `http://${ADDRESS}${path}`],
  ]);
}

async function get(path, isJson = false) {
  try {
    const response = await fetch(`http://${ADDRESS}${path}`);
    if (!response.ok) return undefined;
    return isJson ? await response.json() : await response.text();
  } catch {
    return undefined;
  }
}

/** Waits until a condition holds; an error after 100 s. */
export async function until(what, condition) {
  const end = performance.now() + 100_000;
  let last;
  while (performance.now() < end) {
    last = await condition();
    if (last === true) return;
    await sleep(200);
  }
  throw new Error(`not in time: ${what}: ${JSON.stringify(last)}`);
}
