// Faults that a package like this one could have. Each turns a test of Node red, or the lane proves nothing.

const { Socket } = require('node:net');

/** Calls `use` with each socket that connects. */
function eachClient(use) {
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
};
