// What face.ts hands its calls to; a bundle of its own.

export { useKit } from '../given';
export { addressBytes, addressText, isWithin, prefixOf } from './address';
export { darwinConnections } from './darwin';
export { destroyConnection } from './destroy';
export { conditionsOf, matches } from './filter';
export { connectionOf } from './linux';
export { listConnections, listConnectionsAsync } from './list';
export { DiagMessages } from './sock-diag';
export { bytecodeOf } from './sock-diag-bytecode';
export { destroyRequest, dumpRequest } from './sock-diag-request';
export { ConnectionWatch, watchClosedConnections } from './watch';
export { windowsConnections, windowsDestroyRequest } from './win32';
