import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type DeadPeerReport,
  getSysctl,
  getSystemDefaults,
  type SystemDefaults,
} from '../../dist/index.js';
import { inNamespace, needsNamespace } from '../support/namespace';
import { AF_INET, getInt, IPPROTO_TCP, SOCK_STREAM, withSocket } from '../support/reference-addon';

const file = (path: string) => readFileSync(`/proc/sys/${path}`, 'utf8').trimEnd();

describe('getSystemDefaults', () => {
  test('returns the values of /proc/sys, in milliseconds', () => {
    const defaults = getSystemDefaults();
    const seconds = (name: string) => Number(file(`net/ipv4/${name}`)) * 1_000;
    const count = (name: string) => Number(file(`net/ipv4/${name}`));
    expect(defaults.keepAliveInitialDelay.value).toBe(seconds('tcp_keepalive_time'));
    expect(defaults.keepAliveInterval.value).toBe(seconds('tcp_keepalive_intvl'));
    expect(defaults.keepAliveCount.value).toBe(count('tcp_keepalive_probes'));
    expect(defaults.retransmissions.value).toBe(count('tcp_retries2'));
    expect(defaults.routeCheckRetries.value).toBe(count('tcp_retries1'));
    expect(defaults.synRetries.value).toBe(count('tcp_syn_retries'));
    expect(defaults.synAckRetries.value).toBe(count('tcp_synack_retries'));
    expect(defaults.orphanRetries.value).toBe(count('tcp_orphan_retries'));
    expect(defaults.finWait2Timeout.value).toBe(seconds('tcp_fin_timeout'));
    expect(defaults.keepAliveInitialDelay).toEqual({
      value: seconds('tcp_keepalive_time'),
      unit: 'ms',
      source: 'sysctl',
      name: 'net.ipv4.tcp_keepalive_time',
      scope: 'network namespace',
      reason: null,
    });
    expect(defaults.keepAliveCount.unit).toBe('count');
  });

  test('equals the values of a new socket', () => {
    const defaults = getSystemDefaults();
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      expect(getInt(fd, IPPROTO_TCP, 4) * 1_000).toBe(defaults.keepAliveInitialDelay.value);
      expect(getInt(fd, IPPROTO_TCP, 5) * 1_000).toBe(defaults.keepAliveInterval.value);
      expect(getInt(fd, IPPROTO_TCP, 6)).toBe(defaults.keepAliveCount.value);
      expect(getInt(fd, IPPROTO_TCP, 7)).toBe(defaults.synRetries.value);
      expect(getInt(fd, IPPROTO_TCP, 8) * 1_000).toBe(defaults.finWait2Timeout.value);
    });
  });

  test('a setting that this system lacks is null with the reason', () => {
    expect(getSystemDefaults().connectTimeout).toMatchObject({
      value: null,
      name: null,
      reason: 'linux has no such setting',
    });
  });
});

interface Report {
  readonly defaults: SystemDefaults;
  readonly commandLine: { status: number; stdout: string };
  readonly bounds: DeadPeerReport;
  readonly tolerate: string;
  readonly fail: string;
  readonly bounded: DeadPeerReport;
}

describe('getSystemDefaults in another namespace', () => {
  beforeEach(needsNamespace);

  test('returns the values of the network namespace of this process', async () => {
    const { defaults, fresh, system } = await inNamespace<{
      defaults: SystemDefaults;
      fresh: number[];
      system: Record<string, unknown>;
    }>('defaults.mjs', 'changed');
    expect(defaults.keepAliveInitialDelay.value).toBe(11_000);
    expect(defaults.keepAliveInterval.value).toBe(3_000);
    expect(defaults.keepAliveCount.value).toBe(5);
    expect(defaults.retransmissions.value).toBe(4);
    // 'system' follows the namespace, too; a default that no socket can be set to is told.
    expect(fresh).toEqual([11, 3, 5]);
    expect(system).toEqual({
      restored: { enable: false, initialDelay: 11_000, interval: 3_000, count: 5 },
      unsettable: 'ERR_OUT_OF_RANGE',
      message: expect.stringMatching(/a socket does not accept the system's default of 0/),
      untouched: { enable: true, initialDelay: 20_000, interval: 2_000, count: 3 },
    });
    // The namespace of the test kept its values.
    expect(getSystemDefaults().retransmissions.value).toBe(Number(file('net/ipv4/tcp_retries2')));
  });

  test('without /proc/sys, each value is null with the reason', async () => {
    const { defaults, commandLine, ...plans } = await inNamespace<Report>('defaults.mjs', 'hidden');
    // Bounds and plans report the values that they assume.
    const assumed =
      'net.ipv4.tcp_retries2 could not be read (ENOENT: no such file or directory): 15 is assumed';
    expect(plans.bounds.warnings).toContain(assumed);
    // The socket itself has its longest timeout.
    expect(plans.bounds.warnings.join()).not.toContain('tcp_rto_max_ms');
    expect(plans.tolerate).toContain(` ${assumed}.`);
    expect(plans.fail).toContain(` ${assumed}.`);
    expect(plans.bounded.warnings).toContain(assumed);
    // The command prints the same, and its exit code reports missing values.
    expect(commandLine.status).toBe(1);
    expect(commandLine.stdout).toMatch(
      /^keepAliveCount +- +net\.ipv4\.tcp_keepalive_probes: ENOENT: no such file/m,
    );
    expect(commandLine.stdout).not.toMatch(/noticed|fails after/);
    for (const [name, { value, reason }] of Object.entries(defaults)) {
      expect({ name, value }).toEqual({ name, value: null });
      expect(reason).toMatch(name === 'connectTimeout' ? /no such setting/ : /^ENOENT: /);
    }
  });

  test('impossible settings give bounds and a warning of the assumed values', async () => {
    const { bounds, tolerate, commandLine } = await inNamespace<Report>('defaults.mjs', 'nonsense');
    expect(commandLine.status).toBe(1);
    // 2 + 3 x 1 s, and late timers.
    expect(bounds.idle).toBeGreaterThan(5_000);
    expect(bounds.idle).toBeLessThan(5_700);
    // 10^9 retransmissions, most of them after two minutes, are computed at once.
    expect(bounds.busy).toBeGreaterThan(1e14);
    expect(tolerate).toContain('It gives up after 1000000000 times.');
  });

  test("on an older kernel, returns its fixed values with the source 'builtin'", async () => {
    const { defaults } = await inNamespace<Report>('defaults.mjs', 'older');
    expect(defaults.retransmissions).toMatchObject({ value: 15, source: 'sysctl' });
    expect(defaults.retransmissionTimeoutMin).toMatchObject({ value: 200, source: 'builtin' });
    expect(defaults.retransmissionTimeoutMax).toMatchObject({
      value: 120_000,
      source: 'builtin',
    });
    expect(defaults.synLinearTimeouts).toMatchObject({ value: 0, source: 'builtin' });
    expect(defaults.keepAliveCount).toMatchObject({
      value: null,
      reason: 'not a number: nine',
    });
  });
});

describe('getSysctl', () => {
  test('returns the text of the kernel', () => {
    expect(getSysctl('net.ipv4.tcp_rmem')).toEqual({
      name: 'net.ipv4.tcp_rmem',
      value: file('net/ipv4/tcp_rmem'),
      source: 'sysctl',
      scope: 'network namespace',
      reason: null,
    });
    expect(getSysctl('kernel.ostype')).toMatchObject({ value: 'Linux', scope: 'machine' });
    expect(getSysctl('net/ipv4/conf/lo/forwarding').value).toBe(
      file('net/ipv4/conf/lo/forwarding'),
    );
    expect(getSysctl('net.ipv4.conf.lo.forwarding').value).toBe(
      file('net/ipv4/conf/lo/forwarding'),
    );
  });

  test('a missing or unreadable setting is null with the reason', () => {
    expect(getSysctl('net.ipv4.no_such_setting')).toMatchObject({
      value: null,
      reason: 'ENOENT: no such file or directory',
    });
    expect(getSysctl('net.ipv4').reason).toMatch(/^EISDIR/);
    expect(getSysctl('net.ipv4.route.flush').reason).toMatch(/^EACCES/);
    expect(getSysctl(`net.${'x'.repeat(251)}`).value).toBe(null);
  });

  test.each([
    '../../etc/passwd',
    'net/../../etc/passwd',
    'net/.//etc/passwd',
    'net/ipv4/../../../etc/passwd',
    'net.ipv4../../../../etc/passwd',
    'net.//.//.//etc.passwd',
    '/etc/passwd',
    '/proc/sys/net/ipv4/tcp_retries2',
    'net.ipv4.tcp_retries2\0',
    'net.ipv4.tcp_retries2\0x',
    'net..ipv4',
    '.net.ipv4',
    'net.ipv4.',
    'net.ipv4.tcp retries2',
    'net.ipv4.tcp_retries2\n',
    'nét.ipv4',
    '',
    'x'.repeat(256),
  ])('rejects %j as a name', (name) => {
    expect(() => getSysctl(name)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }),
    );
  });
});
