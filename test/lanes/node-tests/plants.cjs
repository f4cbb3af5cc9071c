// Faults that a package like this one could have. Each must turn a test of Node red, or the lane proves nothing.

const { createConnection, Socket } = require('node:net');

/** Calls `use` with each socket that is connected or accepted. */
function eachSocket(use) {
  const { emit } = Socket.prototype;
  Socket.prototype.emit = function (name, ...args) {
    if (name === 'connect') use(this);
    return emit.call(this, name, ...args);
  };
}

module.exports = {
  'does not tune'() {},
  'keeps the process running'() {
    setInterval(() => {}, 1_000);
  },
  'leaves a listener for errors'() {
    eachSocket((socket) => socket.on('error', () => {}));
  },
  'leaves a listener for timeouts'() {
    eachSocket((socket) => socket.on('timeout', () => {}));
  },
  'ends living connections'() {
    eachSocket((socket) => {
      setTimeout(() => socket.destroy(Object.assign(new Error('dead'), { code: 'ETIMEDOUT' })), 50).unref();
    });
  },
  'adds a global'() {
    globalThis.planted = createConnection;
  },
};
