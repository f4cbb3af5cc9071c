// Loaded into every process and thread of a test by NODE_OPTIONS: tunes all its sockets. NODE_TESTS_PLANT adds a fault of
// planted-faults.cjs.

const { tuneSockets } = require('../../../dist/index.js');
const { plant } = require('./planted-faults.cjs');

plant(() => {
  const side = { deadPeerTimeout: 20_000 };
  tuneSockets({ client: side, server: side });
});
