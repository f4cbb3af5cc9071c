// Skips tests by name whose options qemu-user does not pass to the kernel, or only partly.

import { beforeEach } from 'vitest';

const SHORT = 'qemu-user cuts TCP options to 4 bytes';
const UNKNOWN = 'qemu-user does not know the option';

const SKIPS: readonly (readonly [RegExp, string])[] = [
  [/^write bytes unchanged and return as many bytes as the kernel wrote$/, SHORT],
  [
    /^is not returned if the kernel writes nothing: an empty Buffer, or an error without a length$/,
    UNKNOWN,
  ],
  [/^options with neighbouring numbers are passed to the kernel$/, UNKNOWN],
  [/^congestionControl 'reno': written$/, SHORT],
  [/^(bindToDevice 'lo'|zeroCopy true|bindAddressNoPort true): (written|read)$/, UNKNOWN],
  [/^(busyPoll 0\.057|incomingCpu 1|maxPacingRate \d+): (written|read)$/, UNKNOWN],
  [/^(mark 4294967280|transparent true): (written|read)$/, UNKNOWN],
  [/^busyPoll: (1e-7 ms|0\.0501 ms|3 ms|nothing below 0)$/, UNKNOWN],
  [/^every µs up to 10 ms survives being read and written again$/, UNKNOWN],
  [/^no pacing limit is Infinity, both ways$/, UNKNOWN],
  [/^is the address before a redirect rule, for IPv4 and IPv6$/, UNKNOWN],
  [/^what can only be read is what the kernel says of the same socket$/, UNKNOWN],
];

beforeEach(({ task, skip }) => {
  const found = SKIPS.find(([name]) => name.test(task.name));
  skip(found !== undefined, found?.[1]);
});
