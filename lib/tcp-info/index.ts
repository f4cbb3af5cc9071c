// What lib/tcp-info/face.ts loads with the first call; a bundle of its own.

export { readTcpInfos, readTcpInfosAsync } from './columns';
export { useKit } from './kit';
export { equip } from './reader';
export { getKernelTcpInfo, getTcpInfo } from './single';
export { systems } from './system';
export { tcpInfoOf } from './view';
