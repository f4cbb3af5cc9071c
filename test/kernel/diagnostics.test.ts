// The channels of node:diagnostics_channel, and NODE_DEBUG=socket-options.

import { beforeEach, expect, test } from 'vitest';
import { commandInNamespace, inNamespace, needsNamespace } from '../support/namespace';
import { onLinux } from '../support/platform';

beforeEach(onLinux('peers are lost by nft(8)'));
beforeEach(needsNamespace);

interface Message {
  readonly name: string;
  readonly socket?: string;
  readonly error?: string;
  readonly isOpen: boolean;
  readonly isHeartbeat: boolean;
  readonly reason?: string;
  readonly numbers: Readonly<Record<string, number | string>>;
}

test('each channel says what happened, before the socket ends', async () => {
  const { messages, connectError, deadPeerError } = await inNamespace<{
    messages: Message[];
    connectError: string;
    deadPeerError: string;
  }>('diagnostics.mjs');
  const of = (name: string, socket: string) =>
    messages.filter((one) => one.name === `socket-options:${name}` && one.socket === socket);

  expect(of('tuned', 'tuned')).toMatchObject([{ numbers: { side: 'client' }, isOpen: true }]);
  expect(of('tuning-failed', 'tuned')).toMatchObject([
    { numbers: { side: 'client' }, error: expect.stringMatching(/TCP_CONGESTION/) },
  ]);
  expect(of('heartbeat:late', 'silent')).toMatchObject([
    { isOpen: true, isHeartbeat: true, numbers: { unansweredPings: 0 } },
  ]);
  const [dead] = of('heartbeat:dead', 'silent');
  expect(dead).toMatchObject({ isOpen: true, isHeartbeat: true, reason: 'unknown' });
  expect(dead?.numbers.silence).toBeGreaterThanOrEqual(300);
  expect(of('connect-timeout', 'unconnected')).toMatchObject([
    { isOpen: true, error: connectError, numbers: { timeout: 200 } },
  ]);
  const [deadPeer] = of('dead-peer', 'tuned');
  expect(deadPeer).toMatchObject({
    isOpen: true,
    error: deadPeerError,
    numbers: { timeout: 4_000 },
  });
  expect(deadPeer?.numbers.silence).toBeGreaterThan(3_500);
});

test('NODE_DEBUG=socket-options prints the messages, one in a line', async () => {
  const fixture = `${__dirname}/../fixtures/diagnostics.mjs`;
  const command = ['env', 'NODE_DEBUG=socket-options', process.execPath, fixture, 'quiet'];
  const { stdout, stderr } = await commandInNamespace(command);
  const { deadPeerError } = JSON.parse(stdout) as { deadPeerError: string };
  const lines = stderr.split('\n').filter((line) => line.startsWith('SOCKET-OPTIONS '));
  const has = (pattern: RegExp) =>
    expect(
      lines.some((line) => pattern.test(line)),
      `${pattern}`,
    ).toBe(true);
  has(/^SOCKET-OPTIONS \d+: tuned 127\.0\.0\.1:\d+ - 127\.0\.0\.1:\d+ side=client$/);
  has(/: heartbeat:late 127\.\S+ - \S+ silence=\d+ unansweredPings=0$/);
  has(/: heartbeat:dead 127\.\S+ - \S+ silence=\d+$/);
  // It has no addresses yet; the error names the peer.
  has(/: connect-timeout timeout=200: connect ETIMEDOUT 127\.0\.0\.1:\d+$/);
  expect(lines.find((line) => line.includes(': dead-peer '))).toContain(`: ${deadPeerError}`);
});
