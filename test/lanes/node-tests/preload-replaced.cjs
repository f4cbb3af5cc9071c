// Loaded into every process and thread of a test by NODE_OPTIONS: each call of Node's connect, listen and bind goes through
// that of this package. NODE_TESTS_CALLS names a file that gets a line for each. NODE_TESTS_PLANT adds a fault of
// planted-faults.cjs.
//
// Node has many forms of arguments, this package has one. They are converted here by Node's rules: normalizeArgs() and
// Server.prototype.listen() in lib/net.js, Socket.prototype.bind() in lib/dgram.js, normalizeConnectArgs() in
// lib/internal/tls/wrap.js.

const cluster = require('node:cluster');
const dgram = require('node:dgram');
const { appendFileSync } = require('node:fs');
const net = require('node:net');
const { bind, connect, listen } = require('../../../dist/index.js');
const { plant } = require('./planted-faults.cjs');

const { NODE_TESTS_CALLS } = process.env;

/** Options that act before connect or bind, and change nothing that a test sees. */
const EARLY = { connect: { synRetries: 5 }, listen: { freeBind: true }, bind: { freeBind: true } };
/** For Unix sockets, and for descriptors and handles that are bound already. */
const LATE = { priority: 0 };

function count(name) {
  if (NODE_TESTS_CALLS === undefined) return;
  try {
    appendFileSync(NODE_TESTS_CALLS, `${name}\n`);
  } catch {
    // The test has used up the descriptors, or may not write files.
  }
}

function replaceConnect() {
  net.connect = net.createConnection = (...args) => {
    const [options, listener] = net._normalizeArgs(args);
    const socketOptions = options.path ? LATE : EARLY.connect;
    count('connect');
    return connect({ ...options, socketOptions }, listener ?? undefined);
  };
}

/**
 * tls.connect() opens its own socket, unless it gets one. Node crashes if a socket below a TLS socket tries a second address,
 * so it tries one.
 */
function replaceTlsConnect() {
  if (!process.versions.openssl) return;
  const tls = require('node:tls');
  const { connect: connectOfNode } = tls;
  tls.connect = (...args) => {
    const [first, listener] = net._normalizeArgs(args);
    const more = [args[1], args[2]].find((arg) => typeof arg === 'object' && arg !== null);
    const options = { ciphers: tls.DEFAULT_CIPHERS, ...first, ...more };
    if (options.socket || options.signal?.aborted) return connectOfNode(...args);
    // It throws before a socket is opened.
    options.secureContext ||= tls.createSecureContext(options);
    // For the TLS socket only.
    const { onread: _, signal: __, timeout, ...others } = options;
    if (!options.lookup) others.autoSelectFamily = false;
    const socketOptions = options.path ? LATE : EARLY.connect;
    count('tls.connect');
    const socket = connect({ ...others, socketOptions });
    const secured = connectOfNode({ ...options, socket }, listener ?? undefined);
    if (timeout) secured.setTimeout(timeout);
    return secured;
  };
}

/** The listener at the end of the arguments. */
function lastFunction(args) {
  const last = args.at(-1);
  return typeof last === 'function' ? last : undefined;
}

const toBacklog = (value) => (Number(value) >= 0 ? Number(value) : 0);

/** The arguments of server.listen() as an object. */
function listenOptions(args) {
  const [first] = net._normalizeArgs(args);
  const handle = first._handle || first.handle || first;
  const isTcpHandle = typeof handle.bind6 === 'function' && typeof handle.open === 'function';
  const isBound = net.BoundSocket !== undefined && handle instanceof net.BoundSocket;
  if (isTcpHandle || isBound) return { handle, socketOptions: LATE };
  const options = { ...handle };
  // That of a pipe has it from its class.
  if (handle.fd !== undefined) options.fd = handle.fd;
  const backlog = options.backlog || toBacklog(args[1]) || toBacklog(args[2]);
  if (backlog) options.backlog = backlog;
  if (typeof options.fd === 'number' && options.fd >= 0) return { ...options, socketOptions: LATE };
  const isPortOmitted = args.length === 0 || typeof args[0] === 'function';
  const isPortEmpty = (options.port === undefined && 'port' in options) || options.port === null;
  if (isPortOmitted || isPortEmpty) options.port = 0;
  return { ...options, socketOptions: options.port === undefined ? LATE : EARLY.listen };
}

/** Servers in their listen(). It calls Node's, which is replaced. */
const listening = new WeakSet();

function replaceListen() {
  const { listen: listenOfNode } = net.Server.prototype;
  net.Server.prototype.listen = function (...args) {
    if (listening.has(this)) return listenOfNode.apply(this, args);
    const options = listenOptions(args);
    // The primary process opens the socket.
    if (cluster.isWorker && !options.exclusive) return listenOfNode.apply(this, args);
    count('listen');
    listening.add(this);
    try {
      return listen(this, options, lastFunction(args));
    } finally {
      listening.delete(this);
    }
  };
}

/** Sockets in their bind(). */
const binding = new WeakSet();

function replaceBind() {
  const { bind: bindOfNode } = dgram.Socket.prototype;
  dgram.Socket.prototype.bind = function (...args) {
    const [first, second] = args;
    const isObject = typeof first === 'object' && first !== null;
    const isHandle = isObject && typeof first.recvStart === 'function';
    if (isHandle || binding.has(this)) return bindOfNode.apply(this, args);
    const port = typeof first === 'function' ? 0 : first;
    const address = typeof second === 'function' ? undefined : second;
    const options = isObject ? first : { port, address };
    if (cluster.isWorker && !options.exclusive) return bindOfNode.apply(this, args);
    const socketOptions = options.fd > 0 ? LATE : EARLY.bind;
    count('bind');
    binding.add(this);
    try {
      return bind(this, { ...options, socketOptions }, lastFunction(args));
    } finally {
      binding.delete(this);
    }
  };
}

plant(() => {
  replaceConnect();
  replaceTlsConnect();
  replaceListen();
  replaceBind();
});
