// What cannot work in a runtime, and what the package says of it there.

export const runtime = process.versions.bun ? 'bun' : process.versions.deno ? 'deno' : 'node';

const hidden = (message) => ({ code: 'ERR_SOCKET_NO_DESCRIPTOR', message });
const ofBun = hidden(/^Bun does not report the descriptors of HTTP servers and their connections$/);
const ofDeno = hidden(/^Deno does not report the descriptors of TCP, TLS and UDP sockets$/);

const notEarly = (runtime) => ({
  code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  message: new RegExp(`^${runtime} cannot set options before it connects, listens or binds`),
});
const EARLY = [
  'connect: options before connecting',
  'listen: options before listening',
  'bind: options before binding',
  'tuneSockets: options before connecting',
];

const all = (names, one) => Object.fromEntries(names.map((name) => [name, one]));

const [major, minor] = process.versions.node.split('.').map(Number);
const reportsAttempts = major > 20 || minor >= 12;

const REFUSALS = {
  node: reportsAttempts
    ? {}
    : all(['connect: options before connecting', 'tuneSockets: options before connecting'], {
        code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
        message: /^Node 20\.\d+\.\d+ cannot set options before it connects: Node can, since 20\.12/,
      }),
  bun: {
    ...all(['http.Server', 'https.Server'], ofBun),
    ...all(['socket that an http server serves', 'socket that an https server serves'], ofBun),
    ...all(['tuneSockets: sockets that are accepted', 'tuneSockets: options before listening'], {
      code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      message: /^Bun does not report the sockets that its HTTP servers accept: call setOptions\(\)/,
    }),
    ...all(EARLY, notEarly('Bun')),
    'openSocket: net.Socket({ fd }) connects the descriptor': 'not taken',
  },
  deno: {
    ...all(['net.Socket that connected', 'net.Socket that was accepted', 'net.Server'], ofDeno),
    ...all(['tls.TLSSocket that connected', 'tls.TLSSocket over a net.Socket'], ofDeno),
    ...all(['tls.TLSSocket that was accepted', 'tls.Server'], ofDeno),
    ...all(['socket of an http request', 'socket that an http server serves'], ofDeno),
    ...all(['http.Server', 'socket of an https request', 'https.Server'], ofDeno),
    'socket that an https server serves': ofDeno,
    ...all(['http2 session that connected', 'http2 session that was accepted'], ofDeno),
    'dgram.Socket': ofDeno,
    ...all(['tuneSockets: sockets that connect', 'tuneSockets: sockets that are accepted'], ofDeno),
    'register: sockets that connect': ofDeno,
    ...all([...EARLY, 'tuneSockets: options before listening'], notEarly('Deno')),
    'openSocket: net.Socket({ fd }) connects the descriptor': 'not taken',
    'openSocket: dgram.Socket takes the descriptor': 'not taken',
    // The kernel cannot be asked of a socket without a descriptor: as what that is told.
    'Heartbeat: whether the system of a silent peer answers': 'unknown',
    'Heartbeat: the same over TLS': 'unknown',
    'PeerRegistry: counts of the kernel': 'unknown',
  },
};

/** What the check of that name must throw here; `undefined`: it has to work. */
export const refusal = (name) => REFUSALS[runtime][name];
