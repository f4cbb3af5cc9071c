// What face.ts hands its calls to; a bundle of its own.

export { useKit } from '../given';
export { readTcpInfos, readTcpInfosAsync } from './columns';
export { equip } from './reader';
export { newRow, tcpInfoOfRow } from './row';
export { getKernelTcpInfo, getTcpInfo } from './single';
export { systems } from './system';
