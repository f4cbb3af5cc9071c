// npm run test:metrics: TcpMetrics with a real Prometheus, prom-client, the SDK of OpenTelemetry, and real libraries.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

function run(command, ...args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

process.exitCode =
  run('npm', 'ci', '--silent', '--prefix', 'test/lanes/metrics', '--ignore-scripts') ||
  run('npx', 'vitest', 'run', '--config', 'test/lanes/metrics/vitest.config.mts');
