// Faults that a package like this one could have. Each turns a test of Node red, or the lane proves nothing.

const net = require('node:net');

const { Socket } = net;

/** Calls `use` with each socket that connects. */
function eachClient(use) {
  const { emit } = Socket.prototype;
  Socket.prototype.emit = function (name, ...args) {
    if (name === 'connect') use(this);
    return emit.call(this, name, ...args);
  };
}

/** What a preload must do is left out with this name. */
const NOTHING = 'does nothing';

const FAULTS = {
  'keeps the process running'() {
    setInterval(() => {}, 1_000);
  },
  'lets the process end late'() {
    setTimeout(() => {}, 6_000);
  },
  'leaves a listener for errors'() {
    eachClient((socket) => socket.on('error', () => {}));
  },
  'leaves a listener for timeouts'() {
    eachClient((socket) => socket.on('timeout', () => {}));
  },
  'ends living connections'() {
    eachClient((socket) => {
      const error = Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' });
      setTimeout(() => socket.destroy(error), 100).unref();
    });
  },
  'adds a global'() {
    globalThis.planted = true;
  },
  'swallows errors'() {
    const { connect } = net;
    net.connect = net.createConnection = (...args) => {
      const socket = connect(...args);
      const { emit } = socket;
      socket.emit = (name, ...others) => name !== 'error' && emit.call(socket, name, ...others);
      return socket;
    };
  },
  'connects in a later turn'() {
    const { connect } = Socket.prototype;
    Socket.prototype.connect = function (...args) {
      setImmediate(() => connect.apply(this, args));
      return this;
    };
  },
  'listens twice'() {
    const { listen } = net.Server.prototype;
    net.Server.prototype.listen = function (...args) {
      this.once('listening', () => setImmediate(() => this.emit('listening')));
      return listen.apply(this, args);
    };
  },
};

/** Calls `use`, what the preload is for, and the fault that NODE_TESTS_PLANT names. */
module.exports.plant = (use) => {
  const { NODE_TESTS_PLANT: name } = process.env;
  if (name !== NOTHING) use();
  FAULTS[name]?.();
};
