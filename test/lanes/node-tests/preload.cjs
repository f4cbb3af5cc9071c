// Loaded into every process and thread of a test by NODE_OPTIONS: tunes all its sockets. NODE_TESTS_PLANT adds a fault of
// planted-faults.cjs.

const { tuneSockets } = require('../../../dist/index.js');

const { NODE_TESTS_PLANT } = process.env;
if (NODE_TESTS_PLANT !== 'does not tune') {
  const side = { deadPeerTimeout: 20_000 };
  tuneSockets({ client: side, server: side });
}
if (NODE_TESTS_PLANT !== undefined) require('./planted-faults.cjs')[NODE_TESTS_PLANT]();
