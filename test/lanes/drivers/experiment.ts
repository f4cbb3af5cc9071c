// What the lane needs of this machine, and runs its experiments in namespaces.

import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { postgresql } from '../../support/postgresql';

const PROGRAMS = {
  postgres: postgresql('postgres'),
  initdb: postgresql('initdb'),
  redis: '/usr/bin/redis-server',
  mariadb: '/usr/sbin/mariadbd',
  mariadbInstall: '/usr/bin/mariadb-install-db',
  mosquitto: '/usr/sbin/mosquitto',
  rabbitmq: '/usr/lib/rabbitmq/bin/rabbitmq-server',
  nats: '/usr/sbin/nats-server',
  memcached: '/usr/bin/memcached',
  etcd: '/usr/bin/etcd',
  beanstalkd: '/usr/bin/beanstalkd',
  slapd: '/usr/sbin/slapd',
  sshd: '/usr/sbin/sshd',
  sshKeygen: '/usr/bin/ssh-keygen',
  dovecot: '/usr/sbin/dovecot',
  vsftpd: '/usr/sbin/vsftpd',
};

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Why this lane cannot run here; `undefined` if it can. */
export const impossible: string | undefined = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const missing = Object.values(PROGRAMS).filter((program) => !existsSync(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  try {
    execFileSync('unshare', [...NAMESPACES, 'nft', 'list', 'ruleset'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no private network namespace here: ${String((error as Error).message).trim()}`;
  }
})();

/**
 * Runs a program in new namespaces and returns what it prints. Its arguments are a folder for the data of servers, the
 * programs of the servers, and `args`. When it ends, everything that it started ends too.
 */
export async function runExperiment(program: string, args: readonly string[]): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), 'socket-options-servers-'));
  try {
    // The user of the servers must be able to enter the folder.
    chmodSync(data, 0o755);
    const { stdout } = await promisify(execFile)(
      'unshare',
      [
        ...[...NAMESPACES, process.execPath, join(__dirname, program)],
        ...[data, JSON.stringify(PROGRAMS), ...args],
      ],
      { timeout: 280_000, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 },
    );
    return stdout;
  } finally {
    rmSync(data, { recursive: true });
  }
}
