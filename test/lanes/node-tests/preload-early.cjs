// Loaded into every process and thread of a test by NODE_OPTIONS: tunes all its sockets with options that act only before
// bind or connect. NODE_TESTS_PLANT adds a fault of planted-faults.cjs.

const { tuneSockets } = require('../../../dist/index.js');
const { plant } = require('./planted-faults.cjs');

plant(() => {
  tuneSockets({ client: { synRetries: 5 }, server: { freeBind: true } });
});
