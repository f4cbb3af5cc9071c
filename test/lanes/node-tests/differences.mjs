// Tests of Node that end differently with this package, and why they must. One that no longer does is an error, too.

/** The option that makes addresses of other machines usable. */
const FREE_BIND = 'freeBind is on: an address that this machine does not have is no error';

const DIFFERENCES = [
  {
    test: 'parallel/test-net-better-error-messages-listen.js',
    modes: ['early', 'replaced'],
    error: /function should not have been called/,
    why: FREE_BIND,
  },
  {
    test: 'parallel/test-net-listen-error.js',
    modes: ['early', 'replaced'],
    error: /function should not have been called/,
    why: FREE_BIND,
  },
  {
    test: 'parallel/test-dgram-error-message-address.js',
    modes: ['replaced'],
    error: /function should not have been called/,
    why: FREE_BIND,
  },
  {
    test: 'parallel/test-cluster-net-listen-backlog.js',
    modes: ['replaced'],
    error: /Expected exactly 1, actual 2/,
    why: 'the test counts calls of server.listen(), and listen() calls it once more',
  },
  {
    test: 'parallel/test-net-server-listen-handle.js',
    modes: ['replaced'],
    error: /strictly equal/,
    why: 'a descriptor that is no socket: the option is refused before Node opens it, so the error is of setsockopt',
  },
];

/** Returns the listed difference of a test in a mode, or `undefined`. */
export function listedDifference(mode, test) {
  return DIFFERENCES.find((one) => one.test === test && one.modes.includes(mode.name));
}
