// Options of Linux in numbers from the manual pages and headers. Nothing here comes from the catalogue: a row with the wrong
// unit, kind or kernel name fails against them.

import type { OptionName, OptionValues } from '../../dist/index.js';

const [SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6] = [1, 0, 6, 41];

export const int = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value | 0);
  return buffer;
};
export const ints = (...values: number[]) => Buffer.concat(values.map(int));
const u64 = (value: bigint) => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
};
const text = (value: string) => Buffer.concat([Buffer.from(value), Buffer.alloc(1)]);

/** Option, value of ours, level and number of the kernel, the bytes that it holds for it. */
export type Line = readonly [OptionName, OptionValues[OptionName], number, number, Buffer];

export const LINES: readonly Line[] = [
  ['keepAliveInitialDelay', 77_000, IPPROTO_TCP, 4, int(77)],
  ['keepAliveInterval', 6_000, IPPROTO_TCP, 5, int(6)],
  ['keepAliveCount', 4, IPPROTO_TCP, 6, int(4)],
  ['keepAlive', true, SOL_SOCKET, 9, int(1)],
  ['userTimeout', 7_000, IPPROTO_TCP, 18, int(7_000)],
  ['synRetries', 2, IPPROTO_TCP, 7, int(2)],
  ['noDelay', true, IPPROTO_TCP, 1, int(1)],
  ['cork', true, IPPROTO_TCP, 3, int(1)],
  ['quickAck', false, IPPROTO_TCP, 12, int(0)],
  ['maxSegmentSize', 600, IPPROTO_TCP, 2, int(600)],
  ['congestionControl', 'reno', IPPROTO_TCP, 13, text('reno')],
  ['notSentLowWatermark', 4_000_000_000, IPPROTO_TCP, 25, int(4_000_000_000)],
  ['windowClamp', 20_000, IPPROTO_TCP, 10, int(20_000)],
  ['deferAccept', 15_000, IPPROTO_TCP, 9, int(15)],
  ['fastOpen', 5, IPPROTO_TCP, 23, int(5)],
  ['fastOpenConnect', true, IPPROTO_TCP, 30, int(1)],
  ['finWait2Timeout', 9_000, IPPROTO_TCP, 8, int(9)],
  ['retransmissionTimeoutMax', 2_500, IPPROTO_TCP, 44, int(2_500)],
  ['rtoMin', 20, IPPROTO_TCP, 45, int(20_000)],
  ['delayedAckMax', 40, IPPROTO_TCP, 46, int(40_000)],
  ['thinLinearTimeouts', true, IPPROTO_TCP, 16, int(1)],
  ['recvLowWatermark', 99, SOL_SOCKET, 18, int(99)],
  ['linger', { enable: true, timeout: 3_000 }, SOL_SOCKET, 13, ints(1, 3)],
  ['reuseAddress', true, SOL_SOCKET, 2, int(1)],
  ['reusePort', true, SOL_SOCKET, 15, int(1)],
  ['bindToDevice', 'lo', SOL_SOCKET, 25, text('lo')],
  ['busyPoll', 0.057, SOL_SOCKET, 46, int(57)],
  ['incomingCpu', 1, SOL_SOCKET, 49, int(1)],
  ['maxPacingRate', 2 ** 40 + 3, SOL_SOCKET, 47, u64(2n ** 40n + 3n)],
  ['zeroCopy', true, SOL_SOCKET, 60, int(1)],
  ['dscp', 46, IPPROTO_IP, 1, int(0xb8)],
  ['dscp', 46, IPPROTO_IPV6, 67, int(0xb8)],
  ['typeOfService', 0x28, IPPROTO_IP, 1, int(0x28)],
  ['priority', 4, SOL_SOCKET, 12, int(4)],
  ['ttl', 33, IPPROTO_IP, 2, int(33)],
  ['freeBind', true, IPPROTO_IP, 15, int(1)],
  ['pathMtuDiscovery', 'do', IPPROTO_IP, 10, int(2)],
  ['pathMtuDiscovery', 'omit', IPPROTO_IP, 10, int(5)],
  ['bindAddressNoPort', true, IPPROTO_IP, 24, int(1)],
  // ip(7): the lower bound in the lower 16 bits.
  ['localPortRange', { low: 40_000, high: 65_535 }, IPPROTO_IP, 51, int(0xffff_9c40)],
  ['trafficClass', 0x40, IPPROTO_IPV6, 67, int(0x40)],
  ['hopLimit', 12, IPPROTO_IPV6, 16, int(12)],
  ['ipv6Only', true, IPPROTO_IPV6, 26, int(1)],
  ['mark', 0xffff_fff0, SOL_SOCKET, 36, int(0xffff_fff0)],
  ['transparent', true, IPPROTO_IP, 19, int(1)],
];

/** Lines that only a privileged process may run. */
export const PRIVILEGED: readonly OptionName[] = ['mark', 'transparent'];

/** Options that only newer kernels have, with the first that has them. */
export const SINCE: Partial<Record<OptionName, string>> = {
  retransmissionTimeoutMax: '6.15',
  rtoMin: '6.15',
  delayedAckMax: '6.15',
  localPortRange: '6.3',
};
