// What face.ts hands its calls to; a bundle of its own.

export { useKit } from '../given';
export { addressBytes, addressText, isWithin, prefixOf } from './address';
export { darwin, darwinConnections } from './darwin';
export { destroyConnection } from './destroy';
export { conditionsOf, matches } from './filter';
export { connectionOf, linux } from './linux';
export { listConnections, listConnectionsAsync } from './list';
export { DiagMessages } from './sock-diag';
export { bytecodeOf } from './sock-diag-bytecode';
export { destroyRequest, dumpRequest } from './sock-diag-request';
export { ConnectionWatch, watchClosedConnections } from './watch';
export { win32, windowsConnections, windowsDestroyRequest } from './win32';
